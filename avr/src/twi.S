; The I2C slave's interrupt: one byte, well below 10 us. Only the end of a message takes longer: it goes on in
; message_received (messages.c), with interrupts allowed, so that the bus never waits.
#define __SFR_OFFSET 0
#include "i2c.h"
#include <avr/io.h>

#define CONTINUE ((1 << TWINT) | (1 << TWEA) | (1 << TWEN) | (1 << TWIE))

.section .progmem.data, "a", @progbits
crc_table: .byte I2C_CRC_TABLE

.macro restore
	pop r31
	pop r30
	pop r25
	pop r24
	out SREG, r24
	pop r24
.endm

.text
write_begins:
	sts twi_active, r25
	lds r24, twi_pending
	cpi r24, 0
	breq 1f
	ldi r25, CONTINUE & ~(1 << TWEA) ; the last message is not answered yet
	rjmp done
1:
	sts twi_crc, r24
	sts twi_count, r24
	rjmp done

write_ends:
	lds r24, twi_count
	cpi r24, 0
	breq done
	lds r24, twi_pending
	cpi r24, 0
	brne done
	sts twi_pending, r25
	sts TWCR, r25
	restore
	jmp __vector_message ; ends with reti

.global TWI_vect
TWI_vect:
	push r24
	in r24, SREG
	push r24
	push r25
	push r30
	push r31
	lds r24, TWSR
	andi r24, 0xf8
	ldi r25, CONTINUE
	cpi r24, 0x80
	breq received
	cpi r24, 0xb8
	breq send
	cpi r24, 0xa8
	breq read_begins
	cpi r24, 0x60
	breq write_begins
	cpi r24, 0xc0
	breq read_ends
	cpi r24, 0xa0
	breq write_ends
	cpi r24, 0x00
	brne done
	ldi r25, CONTINUE | (1 << TWSTO) ; bus error, a start or stop within a byte: let go
done:
	sts TWCR, r25
	restore
	reti

read_ends:
	ldi r24, 0
	sts twi_sent, r24
	rjmp done

received:
	lds r24, TWDR
	lds r30, twi_count
	cpi r30, I2C_LONGEST + 1
	brsh done
	inc r30
	sts twi_count, r30
	cpi r30, I2C_LONGEST + 1
	breq done
	ldi r31, 0
	subi r30, lo8(-(twi_received - 1))
	sbci r31, hi8(-(twi_received - 1))
	st Z, r24
	lds r30, twi_crc
	eor r30, r24
	ldi r31, 0
	subi r30, lo8(-(crc_table))
	sbci r31, hi8(-(crc_table))
	lpm r30, Z
	sts twi_crc, r30
	rjmp done

read_begins:
	sts twi_active, r25
	ldi r30, 0
	lds r24, twi_pending
	cpi r24, 0
	breq send_at
	ldi r30, I2C_LONGEST ; nothing to say yet: filler
	rjmp send_at
send:
	lds r30, twi_sent
send_at:
	lds r24, twi_answer_size
	cp r30, r24
	ldi r24, 0xff
	brsh send_it
	mov r24, r30
	ldi r31, 0
	subi r30, lo8(-(twi_answer))
	sbci r31, hi8(-(twi_answer))
	ld r31, Z
	mov r30, r24
	inc r30
	mov r24, r31
send_it:
	sts twi_sent, r30
	sts TWDR, r24
	rjmp done
