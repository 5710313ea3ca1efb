class Invalid(ValueError):
    field: str
    problem: str
    def __init__(self, field: str, problem: str) -> None: ...
