"""Lines of AVR assembly. A 32-bit value lies in four registers, lowest first; groups begin at even ones for movw."""

Word = tuple[int, int, int, int]


class Assembler:
    """Collects lines; counts nothing: the simulator does that better."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n"

    def raw(self, text: str) -> None:
        self.lines += text.strip("\n").split("\n")

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")

    def note(self, text: str) -> None:
        self.lines.append(f"\t; {text}")

    def bytes(self, values: list[int]) -> None:
        self.lines.append("\t.byte " + ",".join(map(str, values)))

    def __call__(self, *instructions: str) -> None:
        self.lines += [f"\t{each}" for each in instructions]

    def copy(self, to: Word, source: Word) -> None:
        self(f"movw r{to[0]}, r{source[0]}", f"movw r{to[2]}, r{source[2]}")

    def bitwise(self, operation: str, to: Word, source: Word) -> None:
        for a, b in zip(to, source, strict=True):
            self(f"{operation} r{a}, r{b}")

    def add(self, to: Word, source: Word) -> None:
        for byte in range(4):
            self(f"{carry('add', byte)} r{to[byte]}, r{source[byte]}")

    def add_constant(self, to: Word, value: int) -> None:
        """Only r16..r31 take immediates, and only to subtract."""
        for byte, part in enumerate((-value & 0xFFFFFFFF).to_bytes(4, "little")):
            self(f"{'sbci' if byte else 'subi'} r{to[byte]}, {part:#04x}")

    def load(self, to: Word, address: str) -> None:
        for byte in range(4):
            self(f"lds r{to[byte]}, {address}+{byte}")

    def add_memory(self, to: Word, address: str) -> None:
        for byte in range(4):
            self(f"lds r0, {address}+{byte}", f"{carry('add', byte)} r{to[byte]}, r0")

    def rotate_right(self, word: Word, feed: str) -> None:
        """By one bit; `feed` is a register whose lowest bit is the word's, and is used up bit by bit."""
        self(f"lsr {feed}", *(f"ror r{word[byte]}" for byte in (3, 2, 1, 0)))


def carry(operation: str, byte: int) -> str:
    """The operation for that byte of a word: the first one takes no carry."""
    return {"add": "adc", "sub": "sbc", "cp": "cpc"}[operation] if byte else operation
