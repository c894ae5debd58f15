"""JSON text: size, encoding, repeated keys, packed files, hostile ids."""

import gzip

import pytest

from submission import document
from submission.document import DocumentError, id_fault, parse, read_bytes, repeated_keys
from submission.messages import clean, count, describe, quote


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON at line 1 column 1"),
        (b'{"a": [1,\n 2}', "not JSON at line 2 column 3"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"\xef\xbb\xbf{}", "not JSON at line 1 column 1: Unexpected UTF-8 BOM"),
        (b"[" * 100_000, "nested far deeper"),
        (b'{"a":' * 100_000, "nested far deeper"),
    ],
)
def test_bad_text_is_one_line(data, message):
    with pytest.raises(DocumentError, match=message) as caught:
        parse(data)
    assert "\n" not in str(caught.value)


def test_repeated_keys_stay_visible_where_they_are():
    value = parse(b'{"a": 1, "b": {"c": 1, "c": 2, "d": 3}, "a": 4, "a": 5}')
    assert repeated_keys(value) == ("a",)
    assert repeated_keys(value["b"]) == ("c",)
    assert value == {"a": 5, "b": {"c": 2, "d": 3}}
    assert repeated_keys({"a": 1}) == ()


def test_integers_of_many_digits_stay_out_of_range():
    assert parse(b"[" + b"9" * 5000 + b"]")[0] > 10**18
    assert parse(b"[-" + b"9" * 5000 + b"]")[0] < -(10**18)
    assert parse(b"[12345678901234567890, 7]") == [12345678901234567890, 7]


def test_gzip_is_found_by_content(tmp_path):
    path = tmp_path / "data.json"
    path.write_bytes(gzip.compress(b'{"a": 1}'))
    assert read_bytes(path) == b'{"a": 1}'
    path.write_bytes(gzip.compress(b'{"a": 1}')[:-6])
    with pytest.raises(DocumentError, match="damaged gzip data"):
        read_bytes(path)
    path.write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(DocumentError, match="damaged gzip data"):
        read_bytes(path)


def test_large_files_are_refused_before_parsing(tmp_path, monkeypatch):
    path = tmp_path / "data.json"
    path.write_bytes(gzip.compress(bytes(3 << 20)))
    with pytest.raises(DocumentError, match="over 2 MB"):
        read_bytes(path, 2 << 20)
    monkeypatch.setattr(document, "MAX_BYTES", 1 << 20)
    with pytest.raises(DocumentError, match="over 1 MB"):
        parse(bytes(2 << 20))


def test_unreadable_files_are_one_line(tmp_path):
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        read_bytes(tmp_path / "none.json")
    with pytest.raises(DocumentError, match="cannot be read: Is a directory"):
        read_bytes(tmp_path)


@pytest.mark.parametrize("task_id", ["00d62c1b", "a b", "../../x", "<b>", "é", "x" * 128])
def test_any_decent_string_is_an_id(task_id):
    assert id_fault(task_id) is None


@pytest.mark.parametrize("task_id", ["", "x" * 129, "a\nb", "\x1b[2J", "\x7f", "\x9b", "\ud800", 7, None])
def test_hostile_ids_have_a_fault(task_id):
    assert id_fault(task_id)


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\x7f", "\u202eabc", "\ud800", "x" * 4096, '"'])
def test_quoted_texts_are_short_printable_ascii(text):
    shown = quote(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) < 400


def test_wording():
    assert [count(0, "task"), count(1, "task"), count(2, "task")] == ["0 tasks", "1 task", "2 tasks"]
    assert clean("a\ud800") == "a\\ud800"
    assert [describe(value) for value in ([1], {}, None, True, 1.5, b"")] == [
        "a list",
        "an object",
        "null",
        "true",
        "1.5",
        "a bytes",
    ]
