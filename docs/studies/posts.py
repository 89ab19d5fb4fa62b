"""An invented world for guide/studies.md: accounts post the sample photos, and others share them on.

``python studies/posts.py`` writes ``posts.csv``: post, account, followers, retweets, and the photo's ``filename``.
What stands for protest is that the photo shows technology, a tool or a power plant. How often a post is retweeted
follows from :func:`expected_retweets`, in which a photo also has an appeal of its own, for whoever shares it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

POSTS, ACCOUNTS = 2000, 400
PROTEST, FOLLOWERS = 1.0, 0.5  # the effects that a study should find
APPEAL = 0.25  # standard deviation of what photos share, in logarithms
SPREAD = 0.8  # dispersion of the negative binomial: variance = mean + SPREAD × mean²


def expected_retweets(protest: np.ndarray, followers: np.ndarray, appeal: np.ndarray) -> np.ndarray:
    """The mean of a post's retweets."""
    return np.exp(-2.5 + PROTEST * protest + FOLLOWERS * np.log(followers) + appeal)


def world(sample: Path, seed: int = 1) -> pd.DataFrame:
    """A row a post: post, account, followers, filename, technology (the code of a person), retweets."""
    random = np.random.default_rng(seed)
    photos = pd.read_csv(sample / "photos.csv")
    protest = photos["category"].isin(["tool", "energy"]).to_numpy()
    activist = random.random(ACCOUNTS) < 0.4  # they share more protest, and have fewer followers
    followers = np.exp(random.normal(7.5 - 1.0 * activist, 1.2)).astype(int) + 10
    account = random.integers(0, ACCOUNTS, POSTS)
    wanted = random.random(POSTS) < np.where(activist[account], 0.6, 0.25)
    photo = np.where(
        wanted, random.choice(np.flatnonzero(protest), POSTS), random.choice(np.flatnonzero(~protest), POSTS)
    )
    appeal = random.normal(0, APPEAL, len(photos))
    mean = expected_retweets(protest[photo], followers[account], appeal[photo])
    return pd.DataFrame(
        {
            "post": np.arange(POSTS),
            "account": account,
            "followers": followers[account],
            "filename": photos["filename"].to_numpy()[photo],
            "technology": np.where(protest[photo], "yes", "no"),
            "retweets": random.poisson(mean * random.gamma(1 / SPREAD, SPREAD, POSTS)),
        }
    )


if __name__ == "__main__":
    made = world(Path("sample"))
    made.to_csv("posts.csv", index=False)
    print(f"{len(made):,} posts with {made['filename'].nunique()} photos in posts.csv")
