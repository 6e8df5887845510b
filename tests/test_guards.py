import pytest
import torch

from skfair_runner._guards import all_or_nothing, check_device, until_interrupted


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu"), "cpu:0"])
def test_the_processor_is_a_device(device):
    check_device(device)


@pytest.mark.parametrize("device", ["gpu", "", "meta", "cuda:1000"])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(
        ValueError, match=rf"^device='{device}' cannot be used here: .*\. Pass 'cpu'"
    ) as caught:
        check_device(device)
    assert "\n" not in str(caught.value)


class Thing:
    pass


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_attributes_come_back_after_an_error(error):
    thing = Thing()
    thing.old, thing.changed = [1], "before"
    old = thing.old
    with pytest.raises(error), all_or_nothing(thing):
        del thing.old
        thing.changed, thing.new = "after", 3
        raise error
    assert vars(thing) == {"old": [1], "changed": "before"}
    assert thing.old is old


def test_attributes_stay_where_nothing_is_raised():
    thing = Thing()
    with all_or_nothing(thing):
        thing.new = 3
    assert vars(thing) == {"new": 3}


def test_an_interrupt_is_handed_back():
    def stop():
        raise KeyboardInterrupt("stopped")

    assert str(until_interrupted(stop)) == "stopped"


def test_arguments_are_passed_on_and_errors_go_on():
    passed = []
    assert (
        until_interrupted(lambda *args, at: passed.append((args, at)), 1, at=2) is None
    )
    assert passed == [((1,), 2)]
    with pytest.raises(ZeroDivisionError):
        until_interrupted(lambda: 1 / 0)
