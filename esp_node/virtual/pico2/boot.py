"""What the firmware has done when its REPL appears. The REPL's programs share the names here."""

import sys

import stand_ins

sys.modules["micropython"] = stand_ins.Micropython()
sys.modules["time"] = stand_ins.Time()
