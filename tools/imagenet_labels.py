"""Write src/visanda/weights/imagenet_labels.txt from timm's tables (Apache-2.0; WordNet's words).

pip download --no-deps timm && unzip timm-*.whl 'timm/data/_info/*'
python tools/imagenet_labels.py timm/data/_info
"""

import sys
from pathlib import Path

info = Path(sys.argv[1])
lemmas = dict(line.split("\t", 1) for line in (info / "imagenet_synset_to_lemma.txt").read_text("utf-8").splitlines())
synsets = (info / "imagenet_synsets.txt").read_text("utf-8").split()
target = Path(__file__).parents[1] / "src/visanda/weights/imagenet_labels.txt"
target.write_text("".join(f"{lemmas[synset].strip()}\n" for synset in synsets), "utf-8")
print(f"{target}: {len(synsets)} labels")
