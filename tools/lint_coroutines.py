#!/usr/bin/python3
"""Find the co_await expressions that GCC 12 compiles wrongly.

    tools/lint_coroutines.py [FILE...]      all of mta, sim, cli and tests where none is named
    tools/lint_coroutines.py --self-test    the patterns below, good and bad

GCC 12.2 destroys some temporaries of an awaited expression twice, and runs parts of others in the wrong frame
(docs/decisions/coroutines.md). What is left is plain: co_await stands alone in its statement, or initialises a new
variable, or is what co_return returns; and its operand is made of names, literals and calls. Exit 1 when a line is not.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("mta", "sim", "cli", "tests")

# What may stand before co_await in its statement, after `if (...)`, `case x:` and the like are taken off.
BEFORE = re.compile(r"""(?:
      | co_return | \(void\)
      | (?:const\s+)?[\w:]+(?:<[^;=]*>)?[\s&*]+\w+\s*=       # type name =
      | (?:const\s+)?auto\s*&?\s*\[[\w\s,]+\]\s*=            # auto [a, b] =
      | [a-z]\w*(?<!_)\s*=                                   # a local variable (members end in _)
    )""", re.X)
OPERAND = (
    (re.compile(r"\[[^\]]*\]\s*(\(|\{|mutable)"), "a lambda in the awaited call: name it before"),
    (re.compile(r"\{"), "braces in the awaited call: name the value before"),
    (re.compile(r"\?"), "a ternary in the awaited call: name its value before"),
)
OPERATOR = re.compile(r"&&|\|\||[=!<>]=|(?<![-<>])[<>](?![<>])|(?<!-)[-+](?!>)|\bor\b|\band\b")

GOOD = [
    "co_await f(a, b);", "const int x = co_await f(std::move(a));", "co_return co_await g(a);",
    "if (x) co_await f(a);", "while (n > 0) co_await over.wait();", "case verb::mail: co_return co_await mail(line);",
    "for (const auto& each : all) co_await f(each);", "const std::vector<a> b = co_await f(c);", "(void)co_await f(a);",
    "auto [a, b] = co_await f(c);", "else co_await f(s, \"{?[](\");", "reply = co_await f(a);", "co_await f(a[0], b);",
    "// if (co_await f()) is never written", "co_await f(std::chrono::seconds(5), now() + delay);",
]
BAD = [
    "if (!co_await f(a)) return;", "if (co_await f(a)) {", "while (co_await f(a)) {", "member_ = co_await f(a);",
    "this->x = co_await f(a);", "const bool b = !co_await f(a);", "g(co_await f(a));", "co_await f(co_await g(a));",
    "co_await f([a] { return a; });", "co_await f(config{a, b});", "co_await f({a, b});", "co_await f(a ? b : c);",
    "const bool x = co_await f(a) == 3;", "const bool x = co_await f(a) && y;", "const auto x = (co_await f(a)).value;",
    "const auto x = b ? co_await f(a) : c;", "return_to.x = co_await f(a);", "co_await f(a,\n    b{1});",
]


def blanked(text):
    """The text without comments and the contents of literals, each character in its place."""
    def blank(match):
        found = match[0]
        if found[0] in "\"'" or found.startswith('R"'):
            return '"' + re.sub(r"[^\n]", "_", found[1:-1]) + '"'
        return re.sub(r"[^\n]", " ", found)
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![\w])\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, blank, text, flags=re.S)


def closing(text, start):
    """Where the parenthesis that opens at `start` closes."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return at
    return len(text)


def without_heads(before):
    """`before` without the control statements that end in front of the awaiting one."""
    while True:
        before = before.strip()
        head = re.match(r"(?:if(?:\s+constexpr)?|for|while|switch)\s*(?=\()", before)
        if head and (end := closing(before, head.end())) < len(before):
            before = before[end + 1:]
        elif head := re.match(r"(?:else|do)\b|(?:case\s+[\w:]+|default)\s*:(?!:)", before):
            before = before[head.end():]
        else:
            return before


def problem_of(text, at):
    """What is wrong with the co_await at `at`, or None."""
    begin = at
    depth = 0
    while begin > 0 and (depth > 0 or text[begin - 1] not in ";{}"):
        begin -= 1
        depth += (text[begin] == ")") - (text[begin] == "(")
        if depth < 0:                       # a for's head has semicolons of its own
            return "inside a larger expression: give its result a name first"
    before = without_heads(text[begin:at])
    if not BEFORE.fullmatch(before):
        if re.search(r"(_|\.\w+|->\w+)\s*=$", before):
            return "assigned to a member: keep it in a new variable, then assign"
        return "inside a larger expression: give its result a name first"
    end, depth = at, 0
    while end < len(text) and (depth > 0 or text[end] != ";"):
        depth += (text[end] in "({") - (text[end] in ")}")
        end += 1
    operand = text[at + len("co_await"):end]
    for pattern, what in OPERAND:
        if pattern.search(operand):
            return what
    outside = re.sub(r"<[\w:,\s<>]*>(?=\()", "", operand)
    while (flat := re.sub(r"\([^()]*\)", "", outside)) != outside:
        outside = flat
    if OPERATOR.search(outside):
        return "an operator beside it: give its result a name first"
    return None


def problems(source):
    text = blanked(source)
    for match in re.finditer(r"\bco_await\b", text):
        if what := problem_of(text, match.start()):
            yield text.count("\n", 0, match.start()) + 1, what


def self_test():
    wrong = [f"taken for bad: {each}" for each in GOOD if list(problems("void f() {\n" + each + "\n}"))]
    wrong += [f"taken for good: {each}" for each in BAD if not list(problems("void f() {\n" + each + "\n}"))]
    print("\n".join(wrong) or f"{len(GOOD)} good and {len(BAD)} bad patterns told apart")
    return bool(wrong)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    named = [pathlib.Path(each) for each in sys.argv[1:]]
    files = named or sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*.?pp"))
    found = 0
    for path in files:
        for line, what in problems(path.read_text(encoding="utf-8")):
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            print(f"{shown}:{line}: co_await {what}")
            found += 1
    print(f"{len(files)} files, {found} found")
    return found > 0


sys.exit(main())
