public import CollectorSimulation

/// Traps when something that must hold for any bytes does not hold for these.
///
/// - Returns: 0, which tells libFuzzer to keep an input that reached something new.
public func check(_ input: HostileInput, _ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let buffer = unsafe UnsafeBufferPointer(start: bytes, count: count)
    guard let violation = unsafe input.violation(of: Array(buffer)) else { return 0 }
    // A trap is how a fuzzer is told that an input is a find; nothing of this is part of the product.
    fatalError("\(input.rawValue): \(violation)")
}
