from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import darknet_py
from darknet_py import cli
from darknet_py.errors import DarknetError
from darknet_py.network import Network
from darknet_py.tasks.validation import Validation, open_validation, validate
from tests.images.sets import make_folder

ROOT = Path(__file__).parents[2]
CFG = "[net]\nwidth=4\nheight=4\nchannels=3\n[connected]\noutput={}\nactivation=linear\n[softmax]\n"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pets", {"cat": 3, "dog": 2, "fox": 1})


def net_of(folder: Path, outputs: int = 3, names: str | None = None) -> Network:
    """A network on paper, and NAME.names beside its cfg."""
    path = folder / "net.cfg"
    cfg = CFG.format(outputs)
    path.write_text(cfg if outputs > 1 else cfg.replace("[softmax]", "[logistic]"))
    if names is not None:
        path.with_suffix(".names").write_text(names)
    return Network.from_cfg(path, "cpu")


def found(data: Path, net: Network, names: Path | None = None, **more: object) -> dict[str, int]:
    """How many pictures each output's class has, by its folder and its name, which must agree."""
    opened = open_validation(data, net, names, **more)  # type: ignore[arg-type]
    dataset = opened.dataset
    assert dataset.classes == max(net.outputs, 2)
    for path, (label,) in zip(dataset.paths, dataset.labels, strict=True):
        assert path.parent.name.lower() == dataset.names[label].lower()
    return {name: n for name, n in zip(dataset.names, dataset.counts(), strict=True) if n}


def fault(data: Path, net: Network, **more: object) -> str:
    with pytest.raises(DarknetError) as caught:
        open_validation(data, net, **more)  # type: ignore[arg-type]
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_folder_is_meant_whole(tmp_path: Path, pets: Path) -> None:
    net = net_of(tmp_path)
    assert found(pets, net) == {"cat": 3, "dog": 2, "fox": 1}
    assert open_validation(pets, net).notes == (
        f"{pets}: classes are taken in the order of their names, as there is no "
        f"{tmp_path}/net.names",
        f"evaluated: {pets}: 6 pictures of 3 classes",
    )


def test_or_what_a_training_set_aside_where_that_is_asked_for(tmp_path: Path, pets: Path) -> None:
    assert found(pets, net_of(tmp_path), share=0.4) == {"cat": 1, "dog": 1}


def test_the_part_to_validate_with_and_exactly_a_folder_that_is_named(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for count, part in enumerate(("train", "valid", "test"), 1):
        make_folder(photos / part, {"cat": count, "dog": 1})
    net = net_of(tmp_path, 2, "dog\ncat\n")
    assert found(photos, net) == {"dog": 1, "cat": 2}
    assert found(photos / "test", net) == {"dog": 1, "cat": 3}
    assert found(photos / "train", net) == {"dog": 1, "cat": 1}


@pytest.mark.parametrize(
    "names", ["fox\ncat\ndog\n", "Fox\n# 1\n\ncat\nDOG\nowl", "dog\ncat\nfox\nowl\n"]
)
def test_classes_are_matched_by_name(tmp_path: Path, pets: Path, names: str) -> None:
    outputs = 3 if names.startswith(("fox", "dog")) else 5
    net = net_of(tmp_path, outputs, names)
    assert sorted(count for count in found(pets, net).values()) == [1, 2, 3]
    expected = names.splitlines()[:outputs]
    assert list(open_validation(pets, net).dataset.names) == expected
    assert "classes are matched by name" in open_validation(pets, net).notes[0]


def test_fewer_classes_than_outputs(tmp_path: Path, pets: Path) -> None:
    shutil.rmtree(pets / "cat")
    assert found(pets, net_of(tmp_path, 3, "cat\ndog\nfox\n")) == {"dog": 2, "fox": 1}
    assert found(pets, net_of(tmp_path, 3, "cat\ndog\nfox\nowl\n")) == {"dog": 2, "fox": 1}
    (tmp_path / "net.names").unlink()
    message = fault(pets, net_of(tmp_path))
    assert message == (
        f"{pets}: has 2 classes, 'dog', 'fox', and {tmp_path}/net.cfg has 3 outputs: classes could "
        f"be matched by name, but {tmp_path}/net.names is not there: name a file by --names"
    )
    (tmp_path / "my.names").write_text("cat\ndog\nfox\n")
    assert found(pets, net_of(tmp_path), tmp_path / "my.names") == {"dog": 2, "fox": 1}


def test_one_class_of_several(tmp_path: Path, pets: Path) -> None:
    for name in ("cat", "dog"):
        shutil.rmtree(pets / name)
    assert found(pets, net_of(tmp_path, 3, "cat\ndog\nfox\n")) == {"fox": 1}


def test_other_classes_are_refused_with_names_of_both(tmp_path: Path, pets: Path) -> None:
    message = fault(pets, net_of(tmp_path, 3, "cat\ndog\nowl\n"))
    assert (
        "has the classes 'cat', 'dog', 'fox', and the network knows 'cat', 'dog', 'owl'" in message
    )
    assert "'fox' cannot be matched" in message
    assert "filters" not in message


def test_a_name_that_two_outputs_have_says_nothing(tmp_path: Path, pets: Path) -> None:
    assert "'dog' cannot be matched" in fault(pets, net_of(tmp_path, 4, "cat\ndog\nfox\ndog\n"))


def test_names_that_are_too_few_are_none(tmp_path: Path, pets: Path) -> None:
    shutil.rmtree(pets / "cat")
    assert "net.names holds too few names" in fault(pets, net_of(tmp_path, 3, "dog\nfox\n"))


def test_one_output_knows_two_classes(tmp_path: Path, pets: Path) -> None:
    shutil.rmtree(pets / "cat")
    assert found(pets, net_of(tmp_path, 1, "fox\ndog\n")) == {"fox": 1, "dog": 2}


def test_imagenets_folders_have_wordnets_numbers(tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos", {"n02110063": 2, "n01440764": 1})
    listed = tmp_path / "val.list"
    listed.write_text("".join(f"{path}\n" for path in photos.glob("*/*.png")))
    for data in (photos, listed):
        opened = open_validation(data, net_of(tmp_path, 1000))
        used = [opened.dataset.names[label] for (label,) in opened.dataset.labels]
        assert sorted(set(used)) == ["malamute", "tench"]


def write_list(path: Path, pets: Path, numbers: dict[str, int] | None) -> Path:
    lines = []
    for picture in sorted(pets.glob("*/*.png")):
        number = "" if numbers is None else f" {numbers[picture.parent.name]}"
        lines.append(f"{picture}{number}\n")
    path.write_text("".join(lines))
    return path


@pytest.mark.parametrize("name", ["val.txt", "my.list", "held", "test.lst"])
def test_lists_of_any_name(tmp_path: Path, pets: Path, name: str) -> None:
    listed = write_list(tmp_path / name, pets, {"cat": 2, "dog": 0, "fox": 1})
    assert found(listed, net_of(tmp_path)) == {"dog": 2, "fox": 1, "cat": 3}
    assert found(listed, net_of(tmp_path, 3, "fox\ncat\ndog\n")) == {"fox": 1, "cat": 3, "dog": 2}


def test_a_list_that_lacks_classes(tmp_path: Path, pets: Path) -> None:
    shutil.rmtree(pets / "dog")
    listed = write_list(tmp_path / "val.txt", pets, {"cat": 2, "fox": 1})
    assert found(listed, net_of(tmp_path)) == {"fox": 1, "cat": 3}
    listed.write_text(listed.read_text().replace(" 2\n", " 3\n"))
    assert "class 3 has no name" in fault(listed, net_of(tmp_path))


def test_folders_of_a_list_need_not_be_called_as_the_classes(tmp_path: Path, pets: Path) -> None:
    listed = write_list(tmp_path / "val.txt", pets, {"cat": 2, "dog": 0, "fox": 1})
    opened = open_validation(listed, net_of(tmp_path, 3, "n1\nn2\nn3\n"))
    assert (opened.dataset.names, opened.dataset.counts()) == (("n1", "n2", "n3"), [2, 1, 3])
    assert "classes are those of the numbers" in opened.notes[0]


def test_a_list_of_paths_alone_bears_the_networks_names(tmp_path: Path, pets: Path) -> None:
    listed = write_list(tmp_path / "val.list", pets, None)
    assert "has no numbers of classes behind its paths" in fault(listed, net_of(tmp_path))
    net = net_of(tmp_path, 3, "fox\ncat\ndog\n")
    assert found(listed, net) == {"fox": 1, "cat": 3, "dog": 2}


def test_a_folder_with_lists_has_its_list_to_validate_with(tmp_path: Path, pets: Path) -> None:
    write_list(pets / "train.txt", pets, {"cat": 0, "dog": 1, "fox": 2})
    net = net_of(tmp_path)
    assert found(pets, net) == {"cat": 3, "dog": 2, "fox": 1}
    (pets / "val.txt").write_text(f"{pets}/dog/000.png 1\n")
    assert found(pets, net) == {"dog": 1}
    assert open_validation(pets / "train.txt", net).notes[-1] == (
        f"evaluated: {pets}/val.txt: 1 picture of 1 class"
    )


def test_a_data_file_has_valid(tmp_path: Path, pets: Path) -> None:
    listed = write_list(tmp_path / "mine", pets, None)
    (tmp_path / "my.names").write_text("dog\nfox\ncat\nowl\n")
    data = tmp_path / "my.data"
    data.write_text(f"classes=3\ntrain=gone\nvalid={listed.name}\nlabels=my.names\ntop=2\n")
    net = net_of(tmp_path)
    assert found(data, net) == {"dog": 2, "fox": 1, "cat": 3}
    assert open_validation(data, net).top == 2
    assert found(data, net_of(tmp_path, 3, "fox\ncat\ndog\n")) == {"fox": 1, "cat": 3, "dog": 2}
    (tmp_path / "net.names").unlink()
    assert "has 3 classes" in fault(data, net_of(tmp_path, 4))
    data.write_text("classes=3\ntrain=gone\nlabels=my.names\n")
    assert fault(data, net).endswith("has no valid=: expected the list to validate with")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_no_guess(
    tmp_path: Path, pets: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    said = np.full((6, 3), 1 / 3, np.float32)
    monkeypatch.setattr(Network, "predict", lambda _net, x: said[: len(x)])
    net = net_of(tmp_path)
    opened: Validation = open_validation(pets, net)
    assert validate(net, opened).pictures == 6
    said[1, 2] = value
    with pytest.raises(DarknetError) as caught:
        validate(net, opened)
    assert str(caught.value).startswith(
        f"{net.path}: of 1 of 6 pictures the outputs are no numbers, {pets}/cat/001.png the first"
    )


def test_where_no_picture_can_be_read_there_is_nothing_to_say(tmp_path: Path, pets: Path) -> None:
    for path in pets.glob("*/*.png"):
        path.write_bytes(b"")
    net = net_of(tmp_path)
    with pytest.raises(DarknetError, match=r"none of the pictures .* can be read: .* is empty"):
        validate(net, open_validation(pets, net))


def test_evaluate_from_python_is_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # cfg, weights and names are found among what is installed
    for kind in ("ship", "airplane"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        shutil.copy(ROOT / f"data/samples/{kind}.png", tmp_path / "photos" / kind)
    net = darknet_py.load_network("cfg/cifar_res.cfg", "data/cifar.weights", device="cpu")
    found = darknet_py.evaluate(net, "photos")
    assert (found.pictures, found.top1) == (2, 1.0)
    words = ("valid", "photos", "cfg/cifar_res.cfg", "data/cifar.weights", "--json", "-q")
    cli.darknet.main(words, prog_name="darknet", standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert document["confusion"] == found.confusion.tolist()
    assert document["loss"] == found.loss
    (explained,) = darknet_py.explain(net, "photos/ship/ship.png", ["ship"])
    assert explained.heat.shape == (128, 128)
