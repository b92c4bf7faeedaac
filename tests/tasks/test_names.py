from __future__ import annotations

import os
from pathlib import Path

import pytest

from darknet_py.errors import CfgError
from darknet_py.tasks.names import default_names, read_names
from tests.support.networks import make_network


def test_names_are_found_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "a.names").write_text("cat\ndog\nbird\n")
    assert read_names("a.names", 2, tmp_path) == ["cat", "dog"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_a_file_names_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with pytest.raises(CfgError, match=r"^pipe: is no regular file$"):
        read_names("pipe", 2, tmp_path)


def test_a_folder_in_its_place_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names").mkdir()
    with pytest.raises(CfgError, match=r"^names: is a folder, not a file$"):
        read_names("names", 2, tmp_path)


@pytest.mark.parametrize(("classes", "first"), [(20, "aeroplane"), (80, "person")])
def test_a_detector_knows_the_classes_of_voc_and_coco(classes: int, first: str) -> None:
    head = f"[convolutional]\nfilters={5 + classes}\n[yolo]\nclasses={classes}\nnum=1\nmask=0\n"
    detector = make_network("[net]\nheight=4\nwidth=4\nchannels=3\n" + head)
    names = default_names(classes, detector)
    assert (len(names), names[0]) == (classes, first)
    assert len(set(names)) == classes
    softmax = f"[connected]\noutput={classes}\n[softmax]\n"
    classifier = make_network("[net]\nheight=4\nwidth=4\nchannels=3\n" + softmax)
    assert default_names(classes, classifier)[0] == "0"  # anybody's
