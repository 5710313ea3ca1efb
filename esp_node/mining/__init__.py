"""The DUCO rig's master: slaves on an I2C bus get jobs that come by MQTT, and their shares go back the same way.

slave.py        one AVR: what it is told, what it has in hand, what it did; pure, but for the bus it is given
rig.py          all of them: who is there, who is due, who has to be left alone for a while
menu.py         what people ask of them, letter by letter
i2c_master.py   the rig of a board, on machine.I2C; sentry/mining/i2c_rig.py is that of a Linux host
"""
