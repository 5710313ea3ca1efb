// The door of the official serial miners: `last,new,difficulty\n` in, `nonce,us,DUCOID...\n` out, both in binary digits.
#pragma once

void uart_start(void);
void uart_turn(void);
