"""Rewrites the answers in transcripts to what the server answers now. The difference is reviewed like code.

    python -m tests.wire.bless [Action …]
"""

from __future__ import annotations

import os
import sys

from tests.wire.transcripts import FOLDER, blessed


def main(actions: list[str]) -> None:
    """Bless the transcripts of the actions, or all."""
    if os.environ.get("CI"):
        sys.exit("transcripts are blessed by people")
    for path in sorted(FOLDER.glob("*/*.http")):
        if not actions or path.parent.name in actions:
            path.write_text(blessed(path))


if __name__ == "__main__":
    main(sys.argv[1:])
