"""How often a changed picture is still found, with and without turned and trimmed query hashes, and at what price.

    python benchmarks/pdq_recall.py [--pictures 150] [--folder FOLDER]

Generated pictures (soft shapes and texture, harmless), or the photographs and drawings below a folder, such as Debian's
packages of wallpapers unpacked; of a picture that lies there in several sizes (1920x1080.jpg) the largest is taken, and
all are looked at with sides of at most 640 pixels. Recall is over pictures whose original and changed form
both pass the quality gate; the others are counted: in the field they are not matched at all. False matches are pairs
of different pictures within the threshold.
"""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from safelight.matching import PdqIndex, query_hashes

Change = Callable[[Image.Image], Image.Image]


def picture(seed: int) -> Image.Image:
    """A smooth background, shapes in front of it, some texture."""
    rng = np.random.default_rng(seed)
    width, height = (int(n) for n in rng.integers(480, 900, 2))
    few = Image.fromarray(rng.integers(0, 256, (7, 9, 3), dtype=np.uint8))
    image = few.resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(8, 40))):
        x, y, w, h = rng.integers(0, width), rng.integers(0, height), rng.integers(20, 250), rng.integers(20, 250)
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        box = (int(x), int(y), int(x + w), int(y + h))
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)(box, fill=colour)
    noise = rng.normal(0, 6, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


#: How packages name the same picture in another size, or by day and by night.
_SAME = re.compile(r"([-_](\d+x\d+|d|l|dark|light))+$")


def pictures_in(folder: Path) -> tuple[list[Image.Image], list[str]]:
    """One picture of each kind below a folder, and their names."""
    largest: dict[Path, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp") and path.is_file() and not path.is_symlink():
            if path.stem == "screenshot":  # the small preview of another file of its package
                continue
            sized = re.match(r"(vertical_)?\d+x\d+", path.stem)
            key = path.parent if sized else path.with_name(_SAME.sub("", path.stem).lower())
            if key not in largest or path.stat().st_size > largest[key].stat().st_size:
                largest[key] = path
    images = []
    for path in largest.values():
        with Image.open(path) as image:
            made = image.convert("RGB")
        made.thumbnail((640, 640), Image.Resampling.LANCZOS)
        images.append(made)
    return images, [str(path.relative_to(folder)) for path in largest.values()]


def jpeg(quality: int) -> Change:
    def change(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(io.BytesIO(file.getvalue())).convert("RGB")

    return change


def scaled(part: float) -> Change:
    return lambda image: image.resize((int(image.width * part), int(image.height * part)), Image.Resampling.LANCZOS)


def cropped(part: float) -> Change:
    def change(image: Image.Image) -> Image.Image:
        x, y = int(image.width * part / 2), int(image.height * part / 2)
        return image.crop((x, y, image.width - x, image.height - y))

    return change


def framed(colour: str) -> Change:
    return lambda image: ImageOps.expand(image, border=(0, image.height // 6), fill=colour)


CHANGES: dict[str, Change] = {
    "JPEG 80": jpeg(80),
    "JPEG 20": jpeg(20),
    "half size": scaled(0.5),
    "an eighth of the size": scaled(0.125),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(3)),
    "brightness x 0.5": lambda image: ImageEnhance.Brightness(image).enhance(0.5),
    "contrast x 1.5": lambda image: ImageEnhance.Contrast(image).enhance(1.5),
    "gray": lambda image: image.convert("L").convert("RGB"),
    "cropped by 2 %": cropped(0.02),
    "cropped by 5 %": cropped(0.05),
    "cropped by 10 %": cropped(0.10),
    "turned by 5 degrees": lambda image: image.rotate(5),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned by 90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "turned by 180": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "turned by 270": lambda image: image.transpose(Image.Transpose.ROTATE_270),
    "letter box, black": framed("black"),
    "letter box, white, JPEG 80": lambda image: jpeg(80)(framed("white")(image)),
    "mirrored in a black box": lambda image: framed("black")(ImageOps.mirror(image)),
}
OPTIONS = (
    ("plain", False, False),
    ("turned", True, False),
    ("trimmed", False, True),
    ("both", True, True),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=150)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    if args.folder:
        originals, names = pictures_in(args.folder)
        count = len(originals)
    else:
        count = args.pictures
        originals, names = [picture(seed) for seed in range(count)], [f"generated {n}" for n in range(count)]
    alike: dict[tuple[str, str], str] = {}
    known = [query_hashes(np.asarray(image))[0].hash for image in originals]
    index = PdqIndex(np.frombuffer(b"".join(h.code for h in known), np.uint8).reshape(-1, 32))
    false = {name: 0 for name, _, _ in OPTIONS}
    asked = {name: 0 for name, _, _ in OPTIONS}
    print(f"{count} pictures, threshold 31\n{'change':<28}{'usable':>8}" + "".join(f"{o[0]:>9}" for o in OPTIONS))
    for what, change in CHANGES.items():
        usable, found = 0, {name: 0 for name, _, _ in OPTIONS}
        for number, image in enumerate(originals):
            hashes = query_hashes(np.asarray(change(image)), turned=True, trimmed=True)
            if not (known[number].usable and hashes[0].hash.usable):
                continue
            usable += 1
            for name, turned, trimmed in OPTIONS:
                wanted = [
                    h.hash.code
                    for h in hashes
                    if (turned or h.how.endswith("original")) and (trimmed or not h.how.startswith("trimmed"))
                ]
                rows = {row for code in wanted for row, _ in index.query(code)}
                found[name] += number in rows
                false[name] += len(rows - {number})
                for other in rows - {number}:
                    alike.setdefault((names[min(number, other)], names[max(number, other)]), f"{name}, {what}")
                asked[name] += count - 1
        shares = "".join(f"{found[name] / usable:>9.1%}" if usable else f"{'-':>9}" for name, _, _ in OPTIONS)
        print(f"{what:<28}{usable:>8}{shares}")
    print(f"{'false, per pair':<36}" + "".join(f"{false[name] / asked[name]:>9.1e}" for name, _, _ in OPTIONS))
    print(f"{'pairs':<36}" + "".join(f"{asked[name]:>9,}" for name, _, _ in OPTIONS))
    for (one, other), where in list(alike.items())[:20]:
        print(f"alike: {one} and {other} ({where} first)")


if __name__ == "__main__":
    main()
