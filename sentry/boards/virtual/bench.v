// Counts rising edges of one output of a chip. Without delays in the chip all nets have settled one tick after the
// clock changed, so looking once each half period sees every pulse and no glitch.
`timescale 1ns/1ns
module bench;
  reg clock = 0;
  reg was = 0;
  wire counted;
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
      was = counted;
      clock = !clock;
    end
    $display("%0d %0d %0d %0d", count, first, last, longest);
    $finish;
  end
endmodule
