// Double-precision functions of our own. glibc's cos and exp differ between its FMA and its other variants, and a
// schedule or a draw must have the same bits on every machine; these are compiled without contraction.
#pragma once

namespace setnet {

// Each is within 2 ulp over the range named (checked in native/test/math_test.cc).
double realExp(double x);            // |x| <= 700; 0 below, infinity above
double realLog(double x);            // x > 0, finite
double realCos(double x);            // |x| <= 1e5
double realPow(double x, double y);  // x > 0; exp(y * log x) with a compensated product
double realTanh(double x);           // everywhere

// erfc(x / sqrt 2) / 2, the normal distribution's tail beyond x, 0 <= x <= 37, to 1e-13 of its value; 0 above.
double realNormalTail(double x);

}  // namespace setnet
