"""Which files of a command line are sources and which are drivings, and where results go."""

from __future__ import annotations

from pathlib import Path

import pytest

from reenact.cli import batch
from reenact.errors import ReenactError


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("faces/b.jpg", "faces/a.PNG", "faces/notes.txt", "faces/.hidden.jpg", "clips/one.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    for name in ("clips/two.motion", "frames/1.png", "frames/2.png", "mixed/a.png", "mixed/a.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    return tmp_path


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_two_files_are_source_and_driving(files: Path) -> None:
    found = batch.inputs([files / "faces/b.jpg", files / "clips/one.mp4"], [], [], video=True)
    assert names(found.sources) == ["b.jpg"] and names(found.drivings) == ["one.mp4"]


def test_named_side_leaves_all_positional_files_to_the_other(files: Path) -> None:
    a, b, clip = files / "faces/a.PNG", files / "faces/b.jpg", files / "clips/one.mp4"
    assert names(batch.inputs([a, b], [], [clip], video=True).sources) == ["a.PNG", "b.jpg"]
    assert names(batch.inputs([clip, files / "clips/two.motion"], [a], [], video=True).drivings) == [
        "one.mp4",
        "two.motion",
    ]


def test_folders_stand_for_what_is_in_them(files: Path) -> None:
    found = batch.inputs([files / "faces", files / "clips"], [], [], video=True)
    assert names(found.sources) == ["a.PNG", "b.jpg"]
    assert names(found.drivings) == ["one.mp4", "two.motion"]


def test_folder_of_pictures_is_one_driving_video_but_several_driving_pictures(files: Path) -> None:
    source = files / "faces/b.jpg"
    assert names(batch.inputs([source, files / "frames"], [], [], video=True).drivings) == ["frames"]
    assert names(batch.inputs([source, files / "frames"], [], [], video=False).drivings) == ["1.png", "2.png"]


def test_patterns_are_expanded_in_order(files: Path) -> None:
    found = batch.inputs([files / "f*/*.[pP][nN][gG]", files / "clips/*.mp4"], [], [], video=True)
    assert names(found.sources) == ["a.PNG", "1.png", "2.png"]


def test_file_whose_name_looks_like_a_pattern_is_that_file(files: Path) -> None:
    odd = files / "face[1].jpg"
    odd.write_bytes(b"x")
    assert batch.inputs([odd, files / "clips/one.mp4"], [], [], video=True).sources == (odd,)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["faces/b.jpg"], "driving is missing"),
        ([], "source and driving are missing"),
        (["faces/b.jpg", "faces/a.PNG", "clips/one.mp4"], "--source or --driving"),
        (["nothing.jpg", "clips/one.mp4"], "nothing.jpg: no such file"),
        (["faces/*.gif", "clips/one.mp4"], "no file matches"),
        (["empty", "clips/one.mp4"], "no picture in this folder"),
        (["faces/b.jpg", "empty"], "no video, motion file or picture"),
        (["faces/b.jpg", "mixed"], "videos and pictures"),
    ],
)
def test_what_is_not_clear_is_refused(files: Path, words: list[str], message: str) -> None:
    with pytest.raises(ReenactError, match=message.replace("*", r"\*")):
        batch.inputs([files / word for word in words], [], [], video=True)


def test_both_sides_named_leave_no_place_for_a_file(files: Path) -> None:
    face = files / "faces/b.jpg"
    with pytest.raises(ReenactError, match="what is this file"):
        batch.inputs([face], [face], [face], video=True)


def test_every_pair_gets_its_name_and_same_stems_do_not_collide(tmp_path: Path) -> None:
    given = batch.Inputs((Path("x/a.jpg"), Path("y/a.jpg")), (Path("d.mp4"), Path("frames.d")))
    made = [pair.output.name for pair in batch.pairs(given, None, tmp_path, ".mp4")]
    assert made == ["a__d.mp4", "a__frames.mp4", "a-2__d.mp4", "a-2__frames.mp4"]


def test_numbered_name_does_not_take_one_that_is_there(tmp_path: Path) -> None:
    given = batch.Inputs((Path("a.jpg"), Path("a-2.jpg"), Path("y/a.jpg")), (Path("d.mp4"),))
    made = [pair.output.name for pair in batch.pairs(given, None, tmp_path, ".mp4")]
    assert len(set(made)) == 3


def test_several_results_need_a_folder() -> None:
    two = batch.Inputs((Path("a.jpg"), Path("b.jpg")), (Path("d.mp4"),))
    with pytest.raises(ReenactError, match="--out-dir instead of -o"):
        batch.pairs(two, Path("o.mp4"), None, ".mp4")
    with pytest.raises(ReenactError, match="both -o and --out-dir"):
        batch.pairs(two, Path("o.mp4"), Path("out"), ".mp4")
    with pytest.raises(ReenactError, match=r"add -o out\.mp4"):
        batch.pairs(two, None, None, ".mp4")


def test_out_dir_is_made_but_not_its_parents(tmp_path: Path) -> None:
    batch.make_out_dir(tmp_path / "out")
    assert (tmp_path / "out").is_dir()
    with pytest.raises(ReenactError, match="does not exist"):
        batch.make_out_dir(tmp_path / "no" / "out")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ReenactError, match="is a file"):
        batch.make_out_dir(tmp_path / "file")


def test_pictures_of_one_person_are_one_source(files: Path) -> None:
    found = batch.inputs([files / "faces", files / "clips"], [], [], video=True)
    todo = batch.pairs(found, None, files / "out", ".mp4", same_person=True)
    assert [pair.name for pair in todo] == ["a__one.mp4", "a__two.mp4"]
    assert all(pair.source.name == "a.PNG" and names(pair.others) == ["b.jpg"] for pair in todo)
    one = batch.inputs([files / "faces", files / "clips/one.mp4"], [], [], video=True)
    assert names(batch.pairs(one, files / "out.mp4", None, ".mp4", same_person=True)[0].others) == ["b.jpg"]
    assert all(not pair.others for pair in batch.pairs(found, None, files / "out", ".mp4"))
