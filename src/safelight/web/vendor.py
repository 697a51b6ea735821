"""Put the built files of the page toolkits under ``static/vendor``, with licences and without the GOV.UK brand.

Only maintainers run this, and only to move to a new version; the product never fetches anything::

    npm pack govuk-frontend@6.6.0 @ministryofjustice/frontend@11.1.0 accessible-autocomplete@3.0.1
    python -m safelight.web.vendor FOLDER_WITH_THE_PACKED_FILES

A service that is not on GOV.UK may not use the GDS Transport font, the royal crest, the crown or the GOV.UK logotype
(GOV.UK Design System, "Using the GOV.UK Design System on other services"), so they are taken out of the style sheets
and their files are not copied. Source map comments go too: the maps are not served.
"""

from __future__ import annotations

import re
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from safelight.errors import SafelightError

VENDOR = Path(__file__).resolve().parent / "static" / "vendor"

_MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of
this software and associated documentation files (the "Software"), to deal in
the Software without restriction, including without limitation the rights to
use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies
of the Software, and to permit persons to whom the Software is furnished to do
so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def _licence(package: str, holder: str) -> str:
    return f"{package}\n\nThe MIT License (MIT)\n\n{holder}\n\n{_MIT}"


@dataclass(frozen=True)
class Toolkit:
    """One package: its packed file, where it goes, which members are wanted, and its licence.

    ``files`` maps the member's path inside the package to the name under ``static/vendor/<folder>/``.
    """

    archive: str
    folder: str
    files: dict[str, str]
    licence: str


_ICONS = (
    "icon-close-cross-black.svg",
    "icon-document.svg",
    "icon-progress-tick.svg",
    "icon-tag-remove-cross-white.svg",
    "icon-tag-remove-cross.svg",
    "icon-toggle-plus-minus.svg",
    "icon-wysiwyg-bold.svg",
    "icon-wysiwyg-italic.svg",
    "icon-wysiwyg-ordered-list.svg",
    "icon-wysiwyg-underline.svg",
    "icon-wysiwyg-unordered-list.svg",
)
TOOLKITS = (
    Toolkit(
        "govuk-frontend-6.6.0.tgz",
        "govuk-frontend",
        {
            "dist/govuk/govuk-frontend.min.css": "govuk-frontend.min.css",
            "dist/govuk/govuk-frontend.min.js": "govuk-frontend.min.js",
        },
        _licence("govuk-frontend 6.6.0", "Copyright (C) 2017 Crown Copyright (Government Digital Service)"),
    ),
    Toolkit(
        "ministryofjustice-frontend-11.1.0.tgz",
        "moj-frontend",
        {
            "moj/moj-frontend.min.css": "moj-frontend.min.css",
            "moj/moj-frontend.min.js": "moj-frontend.min.js",
            **{f"moj/assets/images/{icon}": f"images/{icon}" for icon in _ICONS},
        },
        _licence("@ministryofjustice/frontend 11.1.0", "Copyright (c) 2021 dxw"),
    ),
    Toolkit(
        "accessible-autocomplete-3.0.1.tgz",
        "accessible-autocomplete",
        {
            "dist/accessible-autocomplete.min.css": "accessible-autocomplete.min.css",
            "dist/accessible-autocomplete.min.js": "accessible-autocomplete.min.js",
        },
        _licence("accessible-autocomplete 3.0.1", "Copyright (c) 2017 Crown Copyright (Government Digital Service)"),
    ),
)


def unbranded_css(css: str) -> str:
    """The style sheet without the font, the crest and the source map, and with addresses that hold anywhere."""
    css = re.sub(r"@font-face\{[^}]*GDS Transport[^}]*\}", "", css)
    css = re.sub(r"""["']?GDS Transport["']?,\s*""", "", css)
    css = re.sub(r"url\([\"']?/assets/images/govuk-(?:crest|logotype)[^)]*\)", "none", css)
    css = css.replace("url(/assets/images/", "url(images/")
    return without_map(css)


def without_map(text: str) -> str:
    """The file without its ``sourceMappingURL`` comment."""
    text = re.sub(r"/\*# sourceMappingURL=[^*]*\*/", "", text)
    return re.sub(r"//# sourceMappingURL=\S*", "", text).rstrip() + "\n"


def install(packed: Path, target: Path = VENDOR) -> list[Path]:
    """Write every wanted file of every toolkit below ``target``; returns what was written.

    Raises SafelightError when a packed file or a member of it is missing.
    """
    written: list[Path] = []
    for toolkit in TOOLKITS:
        archive = packed / toolkit.archive
        if not archive.is_file():
            raise SafelightError(f"{archive} does not exist.", fix="Run npm pack as the module's docstring says.")
        with tarfile.open(archive) as opened:
            for member, name in toolkit.files.items():
                try:
                    handle = opened.extractfile(f"package/{member}")
                except KeyError as error:
                    raise SafelightError(f"{archive} holds no {member}.", fix="Check the version.") from error
                if handle is None:
                    raise SafelightError(f"{member} in {archive} is not a file.", fix="Check the version.")
                text = handle.read().decode("utf-8")
                text = unbranded_css(text) if name.endswith(".css") else without_map(text)
                written.append(_write(target / toolkit.folder / name, text))
        written.append(_write(target / toolkit.folder / "LICENSE.txt", toolkit.licence))
    return written


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m safelight.web.vendor FOLDER_WITH_THE_PACKED_FILES\n")
        return 2
    try:
        written = install(Path(arguments[0]))
    except SafelightError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("".join(f"{path.relative_to(VENDOR)}\n" for path in written))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
