import numpy as np
from numpy.testing import assert_allclose

from skfair_runner.plots._labels import arrange_labels, names_in, place_labels


def test_boxes_that_were_counted_with_are_where_the_labels_stand(ax):
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.figure.draw_without_rendering()
    taken = []
    points = [(0.5, 0.5), (0.51, 0.5), (0.52, 0.49)]
    labels = place_labels(ax, ["one", "two", "three"], points, ["black"] * 3, taken)
    ax.figure.draw_without_rendering()
    for box, label in zip(taken, labels, strict=True):
        assert_allclose(label.get_window_extent().extents, box.extents, atol=2)


def test_a_label_stays_inside_of_the_axes(ax):
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.figure.draw_without_rendering()
    (label,) = place_labels(ax, ["a rather long name"], [(0.98, 0.5)], ["black"], [])
    assert label.get_window_extent().x1 <= ax.bbox.x1


def test_a_line_leads_to_a_name_that_stands_far_away(ax):
    from matplotlib.transforms import Bbox

    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.figure.draw_without_rendering()
    x, y = ax.transData.transform((0.5, 0.5))
    near = [Bbox([[x - 40, y - 40], [x + 40, y + 40]])]
    (label,) = place_labels(ax, ["name"], [(0.5, 0.5)], ["black"], near)
    assert np.hypot(*label.get_position()) > 20
    leads = [child for child in ax.texts if child.get_text() == ""]
    assert [lead.xy for lead in leads] == [label.xy]


def test_names_that_are_arranged_again_take_their_lines_along(ax):
    from matplotlib.transforms import Bbox

    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.figure.draw_without_rendering()
    x, y = ax.transData.transform((0.5, 0.5))
    near = [Bbox([[x - 40, y - 40], [x + 40, y + 40]])]
    (label,) = place_labels(ax, ["name"], [(0.5, 0.5)], ["black"], near)
    ax.text(0.1, 0.1, "of somebody else")
    assert names_in(ax) == [label] and len(ax.texts) == 3
    arrange_labels(ax, names_in(ax), [])
    assert np.hypot(*label.get_position()) < 20
    assert [text.get_text() for text in ax.texts] == ["name", "of somebody else"]


def test_a_name_without_room_is_hidden_where_that_is_asked_for(ax):
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_position([0.4, 0.4, 0.02, 0.02])
    ax.figure.draw_without_rendering()
    place_labels(ax, ["name"] * 40, [(0.5, 0.5)] * 40, ["black"] * 40, [])
    labels = names_in(ax)
    assert all(label.get_visible() for label in labels)
    arrange_labels(ax, labels, [], hide=True)
    assert labels[0].get_visible() and not labels[-1].get_visible()
