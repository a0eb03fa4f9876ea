// Times QuantLib's blackFormula on the options of bench/pricing.ts.
// stdin: the number of options, then a line each: forward strike stdDev discount isCall.
// stdout: processor seconds for each option, and the sum of one pass over them.
#include <ctime>
#include <iomanip>
#include <iostream>
#include <vector>
#include <ql/pricingengines/blackformula.hpp>

struct Listed {
    double forward, strike, stdDev, discount;
    QuantLib::Option::Type type;
};

static double pass(const std::vector<Listed>& options) {
    double sum = 0.0;
    for (const Listed& o : options) sum += QuantLib::blackFormula(o.type, o.strike, o.forward, o.stdDev, o.discount);
    return sum;
}

int main() {
    std::size_t count = 0;
    std::cin >> count;
    std::vector<Listed> options(count);
    for (Listed& o : options) {
        int isCall = 0;
        std::cin >> o.forward >> o.strike >> o.stdDev >> o.discount >> isCall;
        o.type = isCall != 0 ? QuantLib::Option::Call : QuantLib::Option::Put;
    }
    if (!std::cin || count == 0) {
        std::cerr << "black76: no options on stdin\n";
        return 2;
    }
    const double once = pass(options);
    const double least = 0.7;
    double kept = 0.0;
    long passes = 0;
    const std::clock_t start = std::clock();
    double seconds = 0.0;
    do {
        kept += pass(options);
        ++passes;
        seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
    } while (seconds < least);
    if (kept == 0.0) return 1;
    std::cout << std::setprecision(17) << seconds / (double(passes) * double(count)) << " " << once << "\n";
}
