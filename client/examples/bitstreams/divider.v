// Divides the clock by BY, from 2 on: its output rises clock / BY times in a second.
module top #(parameter BY = 7) (input clock, output counted);
  reg [$clog2(BY)-1:0] count = 0;
  always @(posedge clock) count <= count == BY - 1 ? 0 : count + 1;
  assign counted = count == BY - 1;
endmodule
