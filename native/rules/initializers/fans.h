#pragma once

namespace setnet::rules {

// What a weight's scale may depend on. Sparse means: connections / outputs and connections / inputs of a layer; dense:
// what they would be with every connection there, the layer's inputs and outputs.
struct Fans {
  double in = 0, out = 0;
  double denseIn = 0, denseOut = 0;

  static Fans of(double connections, double inputs, double outputs) {
    return {connections / outputs, connections / inputs, inputs, outputs};
  }
};

}  // namespace setnet::rules
