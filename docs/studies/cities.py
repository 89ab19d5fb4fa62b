"""An invented world for guide/studies.md: protests in 24 cities, with pictures in which violence and size can be seen.

``python studies/cities.py`` writes ``cities/`` (pictures as JPEG, and ``pictures.csv`` about them) from the sample
photos in ``sample/``. A picture shows a *scene*, one of the sample photos, and below it a *crowd*, made of two sample
portraits. What stands for violence is that the scene is a monument; what stands for size is how many faces there are.

The next day's crowd follows from today's pictures in a way that is written down in :func:`expected_log_size`. At night
pictures are dark and blurred, and crowds grow: so a machine that sees less at night errs more where crowds grow.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

CITIES, DAYS, FIRST_DAY = 24, 14, "2024-01-25"
AT_NIGHT = 0.35
NOISE = 0.3  # standard deviation of the logarithm of size
SCENE, TILE = (320, 240), 53  # pixels: width and height of the scene, side of a face
MOST_FACES = 18  # of a picture: three rows of six


def expected_log_size(violence: float, log_size: float, night: bool, city: float, month: int) -> float:
    """What log(size + 1) is tomorrow, before chance: some violence draws people, much of it keeps them away."""
    return 0.4 + city - 0.2 * (month - 1) + 0.25 * log_size + 5.0 * violence - 4.0 * violence**2 + 0.5 * night


def world(sample: Path, folder: Path, seed: int = 3) -> pd.DataFrame:
    """Make the pictures; a row a picture: filename, city, day, night, and the code that a person would give it."""
    random = np.random.default_rng(seed)
    photos = pd.read_csv(sample / "photos.csv").drop_duplicates("scene").sample(frac=1, random_state=3)
    photos["violent"] = photos["category"] == "monument"
    crowd = [face(sample, name) for name in ("astronaut.jpg", "admiral.jpg")]
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for city in range(CITIES):
        # a city has scenes of its own, in all worlds, so that pictures of one scene are pictures of one city
        scenes = {v: list(photos.loc[photos["violent"] == v, "filename"])[city::CITIES] for v in (False, True)}
        for made in protests(random, city):
            scene = random.choice(scenes[made["violent"]])
            made["filename"] = f"city{city + 1:02}-{made['day']}-{made.pop('number')}.jpg"
            picture = snapshot(random, cv2.imread(str(sample / "photos" / scene)), made["night"])
            picture = np.vstack([picture, strip(random, crowd, made.pop("faces"), made["night"])])
            cv2.imwrite(str(folder / made["filename"]), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
            rows.append(made | {"violent": "yes" if made["violent"] else "no"})
    table = pd.DataFrame(rows)[["filename", "city", "day", "city_day", "night", "violent"]]
    table.to_csv(folder / "pictures.csv", index=False)
    return table


def protests(random: np.random.Generator, city: int) -> list[dict]:
    """The pictures of one city, day after day."""
    rows, own, log_size = [], random.normal(0, 0.2), 1.5
    for day in pd.date_range(FIRST_DAY, periods=DAYS):
        size = max(round(np.exp(log_size) - 1), 0)
        night, violence = random.random() < AT_NIGHT, 0.0
        if size:
            pictures = int(random.integers(1, 4))
            violent = random.random(pictures) < random.random()
            violence = violent.mean()
            faces = random.multinomial(size, np.ones(pictures) / pictures).clip(max=MOST_FACES)
            size = faces.sum()
            name = f"city {city + 1:02}"
            about = {"city": name, "day": f"{day:%Y-%m-%d}", "city_day": f"{name}, {day:%d %B}", "night": bool(night)}
            rows += [
                about | {"number": k, "violent": bool(violent[k]), "faces": int(faces[k])} for k in range(pictures)
            ]
        expected = expected_log_size(violence, np.log(size + 1), night and size > 0, own, day.month)
        log_size = expected + random.normal(0, NOISE)
    return rows


def snapshot(random: np.random.Generator, photo: np.ndarray, night: bool) -> np.ndarray:
    """A scene as somebody in the crowd might take it: a part of it, perhaps mirrored; at night dark, blurred, noisy."""
    height, width = photo.shape[:2]
    share = random.uniform(0.6, 0.95)
    h, w = int(height * share), int(width * share)
    top, left = random.integers(0, height - h + 1), random.integers(0, width - w + 1)
    picture = cv2.resize(photo[top : top + h, left : left + w], SCENE, interpolation=cv2.INTER_AREA)
    picture = picture[:, ::-1] if random.random() < 0.5 else picture
    return dark(random, cv2.GaussianBlur(picture, (0, 0), 2.5)) if night else picture


def dark(random: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """The same with a quarter of the light."""
    noise = random.normal(0, 6, picture.shape)
    return np.clip(picture * 0.25 + noise, 0, 255).astype(np.uint8)


def face(sample: Path, name: str) -> np.ndarray:
    """A face cut out of a sample portrait."""
    portrait = cv2.imread(str(sample / "faces" / name))
    left, top, side = {"astronaut.jpg": (135, 20, 150), "admiral.jpg": (130, 40, 260)}[name]
    return cv2.resize(portrait[top : top + side, left : left + side], (TILE, TILE), interpolation=cv2.INTER_AREA)


def strip(random: np.random.Generator, crowd: list[np.ndarray], faces: int, night: bool) -> np.ndarray:
    """So many faces in rows of six, on grey."""
    rows = max(1, -(-faces // 6))
    picture = np.full((rows * TILE, SCENE[0], 3), 110 if not night else 40, np.uint8)
    for place in range(faces):
        one = crowd[random.integers(len(crowd))]
        one = one[:, ::-1] if random.random() < 0.5 else one
        one = np.clip(one * (0.55 if night else random.uniform(0.8, 1.1)), 0, 255).astype(np.uint8)
        top, left = place // 6 * TILE, place % 6 * TILE
        picture[top : top + TILE, left : left + TILE] = one
    return picture


if __name__ == "__main__":
    made = world(Path("sample"), Path("cities"))
    print(f"{len(made)} pictures of {made['city'].nunique()} cities in cities/, and pictures.csv about them")
