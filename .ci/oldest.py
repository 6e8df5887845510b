"""Print the oldest supported dependencies as constraints for pip.

They are the lower bounds of setup.cfg, written there once:
`python .ci/oldest.py > oldest.txt && pip install -c oldest.txt ".[all,tests]"`.
"""

import configparser
import re
import sys

TOOLS = {"tests", "docs", "dev"}  # what only developers install may be newer


def main():
    """Read setup.cfg, print one pin a line."""
    config = configparser.ConfigParser()
    config.read("setup.cfg", encoding="utf-8")
    extras = config["options.extras_require"]
    lists = [config["options"]["install_requires"]]
    lists += [extras[name] for name in extras if name not in TOOLS]
    for line in "\n".join(lists).split():
        if bound := re.fullmatch(r"([\w-]+)>=([\d.]+)", line):
            sys.stdout.write("{}=={}\n".format(*bound.groups()))


if __name__ == "__main__":
    main()
