"""Write the table and the FIXatdl file again: `python -m services.parameters`."""

from pathlib import Path
from typing import Final

from services.parameters.document import document
from services.parameters.fixatdl import fixatdl

ROOT: Final = Path(__file__).parents[2]
WRITTEN: Final = {
    ROOT / "docs" / "strategy-parameters.md": document,
    ROOT / "infra" / "fixatdl" / "penstock.xml": fixatdl,
}


def main() -> None:
    for path, text in WRITTEN.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
