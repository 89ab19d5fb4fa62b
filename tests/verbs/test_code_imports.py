"""code --import of other programs' files: Label Studio, and folders that pictures were sorted into."""

import json
import shutil

import pytest
from PIL import Image

from visanda import codes
from visanda.errors import InputError


def label_studio(study, tmp_path, **more):
    """An export of two annotators, as Label Studio writes it."""
    ids = study.population()["id"].tolist()
    names = [id.split("/")[-1] for id in ids]
    images = [f"/data/upload/1/1a2b3c4d-{names[0]}", f"/data/local-files/?d=some/{names[1]}", f"s3://b/{names[2]}"]

    def said(value, who):
        result = [{"from_name": "alive", "to_name": "image", "type": "choices", "value": {"choices": value}}]
        result += [{"from_name": "why", "to_name": "image", "type": "textarea", "value": {"text": ["it moves"]}}]
        return {"completed_by": who, "was_cancelled": False, "result": result if value else []}

    tasks = [
        {
            "id": 1,
            "data": {"image": images[0]},
            "annotations": [said(["Yes"], 1), said(["no"], {"email": "ben@x.org"})],
        },
        {"id": 2, "data": {"image": images[1]}, "annotations": [said(["no"], 1)]},
        {"id": 3, "data": {"image": images[2]}, "annotations": [said([], 1) | more]},
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), "utf-8")
    return path, ids


def test_label_studio_s_annotators_become_coders(photos, tmp_path):
    study = photos(3)
    path, ids = label_studio(study, tmp_path)
    study.codebook("alive", values=["yes,no"])
    said = study.code("alive", import_=path)
    given = codes.in_force(study.folder, "alive")
    assert given[["id", "coder", "value", "note"]].to_numpy().tolist() == [
        [ids[0], "annotator_1", "yes", "it moves"],
        [ids[1], "annotator_1", "no", "it moves"],
        [ids[0], "ben", "no", "it moves"],
    ]
    assert any("1 rows have no value" in text for text in said.words)
    with pytest.raises(InputError, match=f"repeat with different values.*\n  {ids[0]} by c1: yes and no"):
        study.code("alive", import_=path, coder="c1")


def test_label_studio_s_several_choices_and_none_are_labels(photos, tmp_path):
    study = photos(3)
    path, ids = label_studio(study, tmp_path)
    study.codebook("alive", scale="multilabel", values=["yes,no"])
    study.code("alive", import_=path)
    given = codes.in_force(study.folder, "alive").set_index(["coder", "id"])["value"]
    assert given["annotator_1", ids[2]] == "none"


def test_label_studio_s_flat_export_and_what_is_no_export(photos, tmp_path):
    study = photos(3)
    name = study.population()["id"][0].split("/")[-1]
    path = tmp_path / "min.json"
    path.write_text(json.dumps([{"id": 7, "image": f"/data/upload/1a2b3c4d-{name}", "choice": "yes", "annotator": 4}]))
    study.code("alive", import_=path)
    assert codes.read(study.folder, "alive").to_numpy().tolist() == [
        [study.population()["id"][0], "annotator_4", "yes"]
    ]
    for text, says in (("{}", "no export"), ("[1]", "no export"), ("[", "as JSON"), ('[{"data": {}}]', "--value")):
        path.write_text(text)
        with pytest.raises(InputError, match=says):
            study.code("alive", import_=path)


def test_class_folders_are_matched_by_content_and_then_by_name(photos, tmp_path):
    study = photos(6)
    ids, sources = study.population()["id"].tolist(), study.paths(study.population()["id"].tolist())
    places = ["yes/1.webp", "no/1.webp", "train/yes/a.webp", "test/no/b.webp"]
    for id, place in zip(ids, places, strict=False):
        (tmp_path / "sorted" / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sources[id], tmp_path / "sorted" / place)
    smaller = tmp_path / "sorted" / "yes" / ids[4].split("/")[-1]
    Image.open(sources[ids[4]]).resize((20, 20)).save(smaller)
    said = study.code("alive", import_=tmp_path / "sorted", coder="known")
    assert codes.gold_of(study.folder, "alive").to_dict() == dict(
        zip(ids[:5], ["yes", "no", "yes", "no", "yes"], strict=True)
    )
    assert any("1 files" in text and "go by their names" in text for text in said.words)
    shutil.copy(sources[ids[0]], tmp_path / "sorted" / "no" / "again.webp")
    with pytest.raises(InputError, match="repeat with different values"):
        study.code("alive", import_=tmp_path / "sorted", coder="known")
    with pytest.raises(InputError, match="no pictures in folders of a value"):
        study.code("alive", import_=tmp_path / "sorted" / "no", coder="known")
