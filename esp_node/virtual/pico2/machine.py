"""Pins of the board that a program looks at: CDONE, and the one that is measured."""

CDONE = 40
FIRST_ANALOGUE = 40
samples = []  # of 12 bits, what the ADC finds from now on


class Pin:
    IN = 0

    def __init__(self, number, mode=-1):
        if not 0 <= number < 48:
            raise ValueError("invalid pin")
        self.number = number

    def value(self):
        import ice

        return int(self.number == CDONE and ice.configured)


class ADC:
    def __init__(self, pin):
        if pin.number < FIRST_ANALOGUE:
            raise ValueError("Pin doesn't have ADC capabilities")

    def read_u16(self):
        sample = samples.pop(0)
        samples.append(sample)
        return sample << 4 | sample >> 8
