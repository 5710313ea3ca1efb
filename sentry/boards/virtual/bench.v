// Counts rising edges of one output of a chip. Without delays in the chip all nets have settled one tick after the
// clock changed, so looking once each half period sees every pulse and no glitch.
`timescale 1ns/1ns
module bench;
  reg clock = 0;
  reg was = 0;
  wire counted;
  reg [`BITS-1:0] state;
  reg moves = 1;
  integer tick, count = 0, first = 0, last = 0, longest = 0;

  chip dut(`PORTS);

  initial begin
    for (tick = 0; tick < `HALF_PERIODS; tick = tick + 1) begin
      #1;
      if (counted === 1'bx || counted === 1'bz) begin
        $display("unknown");
        $finish;
      end
      if (counted && !was) begin
        if (count == 0) first = tick;
        count = count + 1;
        if (tick - last > longest) longest = tick - last;
        last = tick;
      end
      // A circuit in which nothing changes over whole periods of its clock never changes again.
      if (tick == `HALF_PERIODS - 8) moves = 0;
      else if (tick > `HALF_PERIODS - 8 && state !== `STATE) moves = 1;
      if (tick >= `HALF_PERIODS - 8) state = `STATE;
      was = counted;
      clock = !clock;
    end
    $display("%0d %0d %0d %0d %0d", count, first, last, longest, moves);
    $finish;
  end
endmodule

// The chip's block memory as 256 words of 16 bits, the only shape that is simulated. A 1 in MASK keeps a bit.
module SB_RAM40_4K(
  input [10:0] WADDR, RADDR, input [15:0] MASK, WDATA, input WE, WCLKE, WCLK, RE, RCLKE, RCLK,
  output reg [15:0] RDATA
);
  parameter READ_MODE = 0, WRITE_MODE = 0;
  parameter [255:0] INIT_0 = 0, INIT_1 = 0, INIT_2 = 0, INIT_3 = 0, INIT_4 = 0, INIT_5 = 0, INIT_6 = 0, INIT_7 = 0,
    INIT_8 = 0, INIT_9 = 0, INIT_A = 0, INIT_B = 0, INIT_C = 0, INIT_D = 0, INIT_E = 0, INIT_F = 0;
  localparam [4095:0] INIT = {INIT_F, INIT_E, INIT_D, INIT_C, INIT_B, INIT_A, INIT_9, INIT_8,
    INIT_7, INIT_6, INIT_5, INIT_4, INIT_3, INIT_2, INIT_1, INIT_0};
  reg [15:0] words [0:255];
  integer at;

  initial begin
    RDATA = 0;
    for (at = 0; at < 256; at = at + 1) words[at] = INIT[16 * at +: 16];
  end
  always @(posedge WCLK) if (WCLKE && WE) words[WADDR[7:0]] <= words[WADDR[7:0]] & MASK | WDATA & ~MASK;
  always @(posedge RCLK) if (RCLKE && RE) RDATA <= words[RADDR[7:0]];
endmodule
