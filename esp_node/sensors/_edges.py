"""Interrupts on both edges of a pin, on every port."""


def listen(pin, handler):
    """Call handler(pin) at each edge, at once where the port can; the handler must not allocate. None ends it."""
    trigger = pin.IRQ_RISING | pin.IRQ_FALLING
    try:
        pin.irq(handler, trigger, hard=True)
    except TypeError:  # an older ESP32's has no `hard`
        pin.irq(handler, trigger)
