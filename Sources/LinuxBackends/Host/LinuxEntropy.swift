import Backends

/// The kernel's random numbers (`getrandom(2)`).
package struct LinuxEntropy: Entropy {
    package init() {}

    package func nextWord() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
