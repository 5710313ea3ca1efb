"""How the pages of the menu look."""


def line(name, text):
    """`name` on the left, `text` beside it, wrapped at 80 columns."""
    lead = "  %-14s " % name[:40]
    while True:
        print(lead + text[: 79 - len(lead)])
        text = text[79 - len(lead) :]
        if not text:
            return
        lead = " " * 17


def prompt(node):
    """The next key is the menu's."""
    node.menu = "menu"
    print("\n> ", end="")
