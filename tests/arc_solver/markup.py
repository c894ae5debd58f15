"""A page as a tree, read strictly: what a test asks of the HTML it is given."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br"}


@dataclass
class Node:
    tag: str
    attributes: dict[str, str | None]
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def every(self, tag: str) -> list["Node"]:
        found = [node for child in self.children for node in child.every(tag)]
        return [self, *found] if self.tag == tag else found

    def content(self) -> str:
        return self.text + "".join(child.content() for child in self.children)

    def classes(self) -> set[str]:
        return set((self.attributes.get("class") or "").split())


class Reader(HTMLParser):
    """A strict reader: each element must be closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Node("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute comes twice in {tag}"
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def read(page: str) -> Node:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def tags(node: Node) -> list[str]:
    """The name of every element, in reading order."""
    return [node.tag, *(tag for child in node.children for tag in tags(child))]


def attribute_names(node: Node) -> set[str]:
    """The names of all attributes that occur."""
    return {*node.attributes, *(name for child in node.children for name in attribute_names(child))}
