"""What a requirements file may say: packages at one version with hashes, and nothing else."""

from pathlib import Path

import pytest

from labs import environments
from labs.environments.domain.requirements import MAX_BYTES, MAX_PROBLEMS, Package, parse_requirements

HASH = "--hash=sha256:" + "a" * 64


def test_what_a_compiler_writes_is_read_whole():
    written = (Path(environments.__file__).parent / "sets" / "digits.txt").read_text()
    read = parse_requirements(written)
    assert read.problems == ()
    assert read.text == written
    assert {"numpy", "scikit-learn", "matplotlib", "joblib"} <= {package.name for package in read.packages}


@pytest.mark.parametrize(
    ("said", "package"),
    [
        (f"numpy==2.1.0 {HASH}", Package("numpy", "2.1.0")),
        (f"numpy == 2.1.0 \\\r\n    {HASH} \\\r\n    --hash=sha512:{'b' * 128}\r\n # x\r\n", Package("numpy", "2.1.0")),
        (f"uvicorn[standard]==0.3 ; python_version < '4' {HASH}", Package("uvicorn", "0.3", "python_version < '4'")),
        (f"torch==2.5.1+cu124 {HASH}  # said aloud", Package("torch", "2.5.1+cu124")),
    ],
)  # fmt: skip
def test_a_package_is_read(said, package):
    read = parse_requirements(said)
    assert (read.problems, read.packages) == ((), (package,))
    assert "\r" not in read.text
    assert read.text.endswith("\n")


@pytest.mark.parametrize(
    ("said", "code", "line"),
    [
        ("", "empty", None),
        ("# nothing\n\n", "empty", None),
        ("numpy==1\0", "not_text", None),
        ("a" * (MAX_BYTES + 1), "too_large", None),
        (f"\nnumpy {HASH}", "unpinned", 2),
        (f"numpy>=2 {HASH}", "unpinned", 1),
        (f"numpy==2.* {HASH}", "unpinned", 1),
        (f"!!! {HASH}", "unreadable", 1),
        ("numpy==2.1", "no_hash", 1),
        ("numpy==2.1 --hash=md5:abc", "bad_hash", 1),
        ("numpy==2.1 --hash=sha256:" + "A" * 64, "bad_hash", 1),
        (f"numpy==2.1 {HASH} --config-settings=x", "bad_hash", 1),
        ("--index-url https://elsewhere.example/simple", "option", 1),
        ("-r other.txt", "option", 1),
        (f"# one\nnumpy @ https://elsewhere.example/numpy.whl {HASH}", "elsewhere", 2),
        (f"./numpy-2.1.whl {HASH}", "elsewhere", 1),
        (f"git+https://elsewhere.example/x.git {HASH}", "elsewhere", 1),
        (f"my_pkg==1 {HASH}\nother==1 {HASH}\nMy.Pkg==2 {HASH}", "twice", 3),
    ],
)
def test_what_may_not_be_is_named_with_its_line(said, code, line):
    (problem,) = parse_requirements(said).problems
    assert (problem.code, problem.line) == (code, line)


def test_a_package_may_differ_by_where_it_is_wanted():
    said = f"torch==1 ; sys_platform == 'linux' {HASH}\ntorch==2 ; sys_platform == 'darwin' {HASH}"
    assert parse_requirements(said).problems == ()


def test_all_problems_are_said_at_once_but_no_flood_of_them():
    problems = parse_requirements("\n".join(f"p{number}" for number in range(99))).problems
    assert len(problems) == MAX_PROBLEMS
    assert [problem.line for problem in problems[:3]] == [1, 2, 3]
