"""Faces in a corpus: of every size and turn, and pictures that are hard, odd, or damaged."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

import visanda as vi
from visanda import Corpus
from visanda.errors import InputError
from visanda.media import Image
from visanda.models.yunet import detect
from visanda.units import covered

SAMPLE = Path(vi.__file__).parent / "sample"
PORTRAITS = ("astronaut", "admiral")
GATES = ({}, {"score": 0.5}, {"width": 64}, {"score": 0.95}, {"score": 0.95, "width": 64}, {"score": 0.9, "width": 30})


@cache
def portrait(name: str) -> np.ndarray:
    return Image.of(SAMPLE / f"faces/{name}.jpg").pixels


def photo(name: str) -> np.ndarray:
    return Image.of(SAMPLE / f"photos/{name}.webp").pixels


@cache
def head(name: str, height: int) -> np.ndarray:
    """A portrait cut to the head, whose face is so many pixels high."""
    x, y, w, h = detect(portrait(name)).boxes[0]
    cut = portrait(name)[int(y - 0.35 * h) : int(y + 1.25 * h), int(x - 0.35 * w) : int(x + 1.35 * w)]
    factor = height / h
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(cut, None, fx=factor, fy=factor, interpolation=how)


def crowd(people: int, height: int, side: int) -> np.ndarray:
    """Rows of heads, the two people by turns."""
    picture = np.full((side, side, 3), 128, np.uint8)
    left, top, row = 2, 2, 0
    for name in itertools.islice(itertools.cycle(PORTRAITS), people):
        cut = head(name, height)
        if left + cut.shape[1] > side:
            left, top, row = 2, top + row + 2, 0
        picture[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
        left, row = left + cut.shape[1] + 2, max(row, cut.shape[0])
    return picture


def turned(pixels: np.ndarray, degrees: float) -> np.ndarray:
    """Turned clockwise about its middle, in a square where nothing is cut off."""
    height, width = pixels.shape[:2]
    side = int(np.hypot(height, width)) + 1
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    matrix[:, 2] += [(side - width) / 2, (side - height) / 2]
    return cv2.warpAffine(pixels, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def cartoon() -> np.ndarray:
    """A yellow disc with eyes and a smile."""
    picture = np.full((400, 400, 3), 255, np.uint8)
    cv2.circle(picture, (200, 200), 150, (255, 220, 0), -1, cv2.LINE_AA)
    for x in (150, 250):
        cv2.circle(picture, (x, 160), 18, (0, 0, 0), -1, cv2.LINE_AA)
    return cv2.ellipse(picture, (200, 220), (80, 60), 0, 20, 160, (0, 0, 0), 10, cv2.LINE_AA)


def cut_by_the_border() -> np.ndarray:
    x, _, w, _ = detect(portrait("admiral")).boxes[0].astype(int)
    return portrait("admiral")[:, x + w // 3 :]


def with_one_eye() -> np.ndarray:
    pixels = portrait("astronaut").copy()
    x, y = detect(pixels).points[0][0].astype(int)
    pixels[y - 14 : y + 14, x - 20 : x + 18] = 20
    return pixels


def filled_by_a_face() -> np.ndarray:
    x, y, w, h = detect(portrait("astronaut")).boxes[0].astype(int)
    return cv2.resize(portrait("astronaut")[y : y + h, x : x + w], (3000 * w // h, 3000), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures, as files."""
    folder = tmp_path_factory.mktemp("faces") / "p"
    folder.mkdir()
    astronaut, admiral = (portrait(name) for name in PORTRAITS)
    pictures = {
        "astronaut": astronaut,
        "admiral": admiral,
        "mirrored": np.ascontiguousarray(admiral[:, ::-1]),
        "turned": turned(admiral, 20),
        "upside_down": astronaut[::-1, ::-1],
        "grey": cv2.cvtColor(admiral, cv2.COLOR_RGB2GRAY),
        "cut": cut_by_the_border(),
        "one_eye": with_one_eye(),
        "12_pixels": crowd(20, 12, 160),
        "300_faces": crowd(300, 40, 1270),
        "group": photo("expl_music__mexico"),
        "cartoon": cartoon(),
        "cat": photo("expl_farm__cat"),
        "koala": photo("expl_wa__koala"),
        "façade": photo("expl_mon_germany__brandenburgGate"),
        "nothing": np.full((300, 400, 3), 128, np.uint8),
        "1_pixel": np.zeros((1, 1, 3), np.uint8),
    }
    for name, pixels in pictures.items():
        Pillow.fromarray(pixels).save(folder / f"{name}.png", compress_level=1)
    Pillow.fromarray(filled_by_a_face()).save(folder / "3000_pixels.jpg")
    data = (SAMPLE / "faces/admiral.jpg").read_bytes()
    (folder / "broken.jpg").write_bytes(data[: len(data) // 2])
    return folder


@pytest.fixture(scope="session")
def corpus(folder: Path) -> Corpus:
    """A corpus of them, with the faces in them."""
    corpus = Corpus.init(folder.parent / "study")
    corpus.add(folder)
    corpus.measure("faces")
    return corpus


@pytest.fixture(scope="session")
def pictures(corpus: Corpus) -> pd.DataFrame:
    """A row a picture, by its name."""
    frame = corpus.frame("SELECT * FROM faces_by_picture")
    return frame.set_index(frame["id"].map(lambda id: Path(id).stem))


@pytest.fixture(scope="session")
def found(corpus: Corpus) -> pd.DataFrame:
    """A row a face, by the name of its picture."""
    frame = corpus.frame("SELECT * FROM faces ORDER BY id")
    return frame.set_index(frame["picture"].map(lambda id: Path(id).stem))


def test_all_pictures_are_counted_and_only_the_broken_one_failed(pictures):
    assert len(pictures) == 19
    assert pictures.index[pictures["error"].notna()].tolist() == ["broken"]
    assert "truncated" in pictures["error"]["broken"]
    numbers = pictures.drop(columns=["id", "error"])
    assert numbers.loc["broken"].isna().all()
    counts = [name for name in numbers if name.startswith("n_")]
    assert numbers.drop("broken")[[*counts, "faces_share"]].notna().all(axis=None)


def test_counts_are_those_of_the_rows_in_every_picture(pictures, found):
    good = pictures.drop("broken")
    for column, rows in (("n_faces", found), ("n_frontal", found[found["frontal"]])):
        assert good[column].to_dict() == rows.index.value_counts().reindex(good.index, fill_value=0).to_dict()


@pytest.mark.parametrize("name", ["nothing", "cartoon", "cat", "façade", "1_pixel"])
def test_no_face_is_a_row_of_zeros(pictures, name):
    row = pictures.loc[name]
    assert row[["n_faces", "n_frontal", "n_small", "n_unsure", "faces_share"]].eq(0).all()
    assert row[[column for column in pictures if column.startswith("largest_")]].isna().all()


def test_an_animal_that_looks_like_a_face_is_given_away_by_its_presence(found):
    """YuNet takes the koala for a face, and the mesh does not."""
    assert found.loc["koala", "score"] > 0.7 and found.loc["koala", "presence"] < 0.5
    assert (found.loc[["astronaut", "admiral", "grey", "one_eye", "turned"], "presence"] > 0.9).all()


@pytest.mark.parametrize("name", ["astronaut", "admiral", "grey", "one_eye", "cut", "upside_down", "turned"])
def test_one_face_is_found_once(pictures, name):
    assert pictures.loc[name, ["n_faces", "n_small", "n_unsure"]].tolist() == [1, 0, 0]


def test_a_face_at_the_border_is_cut_and_others_are_not(found):
    assert found.loc["cut", "cut"] and found.loc["3000_pixels", "cut"]
    assert not found.loc[["astronaut", "admiral", "grey", "one_eye", "turned", "mirrored"], "cut"].any()


def test_grey_changes_little(found):
    colour, grey = found.loc["admiral"], found.loc["grey"]
    for name in ("yaw", "pitch", "roll"):
        assert grey[name] == pytest.approx(colour[name], abs=3)
    assert grey["share"] == pytest.approx(colour["share"], rel=0.1)


def test_a_face_that_fills_3000_pixels_is_one_face(pictures, found):
    assert pictures.loc["3000_pixels", "n_faces"] == 1
    assert found.loc["3000_pixels", "height"] > 2700
    assert pictures.loc["3000_pixels", "largest_share"] > 0.8
    assert abs(found.loc["3000_pixels", "yaw"] - found.loc["astronaut", "yaw"]) < 8


def test_three_hundred_faces_are_as_many_rows(pictures, found):
    rows = found.loc["300_faces"]
    assert 297 <= pictures.loc["300_faces", "n_faces"] == len(rows) == rows["id"].nunique() <= 303
    boxes = list(rows[["x", "y", "width", "height"]].itertuples(index=False, name=None))
    assert pictures.loc["300_faces", "faces_share"] == pytest.approx(covered(boxes) / 1270**2)


def test_faces_of_12_pixels_are_unsure_and_found_by_whoever_lowers_the_score(corpus, pictures):
    assert pictures.loc["12_pixels", "n_faces"] == 0 < pictures.loc["12_pixels", "n_unsure"]
    corpus.measure("faces", score=0.5, name="unsure", where="id = 'p/12_pixels.png'")
    boxes = corpus.frame("SELECT width, height FROM unsure")
    assert len(boxes) == pictures.loc["12_pixels", "n_unsure"] >= 5
    assert boxes["height"].between(7, 17).all()


def test_what_gates_drop_is_counted(corpus):
    some = "id IN ('p/group.png', 'p/12_pixels.png', 'p/koala.png', 'p/astronaut.png', 'p/cat.png')"
    totals, kept = [], []
    for number, gates in enumerate(GATES):
        corpus.measure("faces", **gates, name=f"gate{number}", where=some)
        frame = corpus.frame(f"SELECT * FROM gate{number}_by_picture ORDER BY id")
        totals.append((frame["n_faces"] + frame["n_small"] + frame["n_unsure"]).tolist())
        kept.append(int(frame["n_faces"].sum()))
        boxes = corpus.frame(f"SELECT score, width FROM gate{number}")
        assert (boxes["score"] >= gates.get("score", 0.7)).all()
        assert (boxes["width"] >= gates.get("width", 0) - 1).all()  # in whole pixels
        assert len(boxes) == kept[-1]
    assert sum(totals[0]) > 20 and all(total == totals[0] for total in totals)
    assert kept[1] == sum(totals[0]) > kept[0] > kept[2] > kept[4] == 0


def test_gates_that_cannot_be_are_refused_before_any_work(corpus):
    for arguments in ({"score": 0.4}, {"score": 1.0}, {"width": -1}, {"long_side": 10}):
        with pytest.raises(InputError, match="faces"):
            corpus.measure("faces", **arguments, name="refused")
        assert "refused_by_picture" not in corpus.tables()


def test_a_mirrored_picture_mirrors_yaw_and_roll(found):
    there, mirror = found.loc["admiral"], found.loc["mirrored"]
    assert mirror["yaw"] == pytest.approx(-there["yaw"], abs=4)
    assert mirror["pitch"] == pytest.approx(there["pitch"], abs=4)
    assert mirror["roll"] == pytest.approx(-there["roll"], abs=4)
    group = photo("expl_music__mexico")
    yaws = [max(vi.faces()([one])["yaw"], key=abs) for one in (group, np.ascontiguousarray(group[:, ::-1]))]
    assert abs(yaws[0]) > 25 and yaws[1] == pytest.approx(-yaws[0], abs=12)


def test_a_picture_turned_by_20_degrees_adds_20_to_the_roll_alone(found):
    there, turned_head = found.loc["admiral"], found.loc["turned"]
    assert turned_head["roll"] - there["roll"] == pytest.approx(20, abs=3.5)
    assert turned_head["yaw"] == pytest.approx(there["yaw"], abs=4)
    assert turned_head["pitch"] == pytest.approx(there["pitch"], abs=4)


def test_heads_that_are_turned_away_are_not_frontal(found):
    group = found.loc["group"]
    away = group["yaw"].abs().gt(25) | group["pitch"].abs().gt(25)
    assert away.any() and (group["frontal"] == ~away).all()


def test_the_largest_face_is_framed_as_its_row_says(pictures, found):
    for name, rows in found.groupby(level=0):
        largest = rows.loc[rows["share"] == rows["share"].max()].iloc[0]
        for column in ("share", "distance", "third", "frontal"):
            assert pictures.loc[name, f"largest_{column}"] == largest[column]


def test_where_a_face_stands_is_said_in_thirds_and_by_its_distance():
    canvas = np.full((900, 900, 3), 128, np.uint8)
    for row, down in enumerate(("top", "middle", "bottom")):
        for column, across in enumerate(("left", "centre", "right")):
            picture, face = canvas.copy(), head("admiral", 150)
            top, left = (
                150 + 300 * place - length // 2 for place, length in zip((row, column), face.shape[:2], strict=True)
            )
            picture[top : top + face.shape[0], left : left + face.shape[1]] = face
            (third,), (distance,) = (vi.faces()([picture])[name] for name in ("third", "distance"))
            assert third == f"{across} {down}"
            assert distance == pytest.approx(np.hypot(row - 1, column - 1) * 300 / (450 * np.sqrt(2)), abs=0.06)


def test_a_sharper_picture_has_a_sharper_face():
    sharpness = [
        vi.faces()([cv2.GaussianBlur(portrait("admiral"), (0, 0), blur)])["sharpness"][0] for blur in (0.3, 2, 5)
    ]
    assert sharpness[0] > 2 * sharpness[1] > 4 * sharpness[2]


def test_landmarks_and_mesh_lie_in_the_box(found):
    measured = vi.faces(mesh=True)([portrait("admiral")])
    box = np.array([measured[name][0] for name in ("x", "y", "width", "height")], float)
    mesh = np.reshape(measured["mesh"][0], (468, 3))
    assert measured["landmarks"][0] == pytest.approx(mesh[[263, 362, 33, 133, 2], :2].ravel().tolist())
    inside = (mesh[:, :2] > box[:2] - 0.15 * box[2:]) & (mesh[:, :2] < box[:2] + 1.15 * box[2:])
    assert inside.all()
    assert "mesh" not in vi.faces().columns and "mesh" not in found
