"""The calls at the beginnings and forks of chains. Like steps they use nothing of their module: common.empty()."""


def each(calls):
    """One call for all of `calls`: a value that one of them cannot use still reaches the others."""
    if len(calls) == 1:
        return calls[0]
    calls = tuple(calls)

    def run(ts, value):
        failed = None
        for call in calls:
            try:
                call(ts, value)
            except (ValueError, ArithmeticError) as error:
                failed = error
        if failed:
            raise failed

    return run


def entry(call, fields):
    """The call for a sensor's tuple of values; one field travels by itself."""
    if fields > 1:
        return lambda ts, values: call(ts, tuple(values))
    return lambda ts, values: call(ts, values[0])
