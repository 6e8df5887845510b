"""Compare what a wheel holds with the tree: `python .ci/check_wheel.py FILE.whl`."""

import subprocess
import sys
import zipfile

COMMAND = "skfair-runner = skfair_runner.cli:main"


def listed(folder):
    """Files of a folder that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines())


def complaints(path):
    """Sentences about what is missing from the wheel or does not belong there."""
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        metadata = {name for name in names if ".dist-info/" in name}
        text = {
            name.rpartition("/")[2]: wheel.read(name).decode(errors="replace")
            for name in metadata
        }
    expected, found = listed("skfair_runner"), names - metadata
    sentences = [f"{name} is not in the wheel" for name in sorted(expected - found)]
    sentences += [f"{name} does not belong there" for name in sorted(found - expected)]
    if "LICENSE" not in text:
        sentences.append("the licence is not in the wheel")
    if COMMAND not in text.get("entry_points.txt", ""):
        sentences.append(f"the command is missing: {COMMAND}")
    return sentences


if __name__ == "__main__":
    sentences = complaints(sys.argv[1])
    sys.stdout.write("".join(f"{sentence}\n" for sentence in sentences))
    sys.exit(bool(sentences))
