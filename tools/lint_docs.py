#!/usr/bin/python3
"""Every link in the documentation leads to something, and every page is linked from another.

    tools/lint_docs.py          exit 1 when a link is broken or a page is lost
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def heading_names(text):
    """Anchors of a page as code hosting sites make them."""
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.M)}


def main():
    pages = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    found, linked = 0, {ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs" / "README.md"}
    for page in pages:
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" in target:
                continue
            name, _, anchor = target.partition("#")
            there = (page.parent / name).resolve() if name else page
            linked.add(there)
            if not there.exists() or (anchor and anchor not in heading_names(there.read_text(encoding="utf-8"))):
                print(f"{page.relative_to(ROOT)}: {target} leads nowhere")
                found += 1
    for page in pages:
        if page not in linked:
            print(f"{page.relative_to(ROOT)}: no page links to it")
            found += 1
    print(f"{len(pages)} pages, {found} found")
    return found > 0


sys.exit(main())
