import CollectorSimulation
import FuzzTarget

/// Called by libFuzzer with one input after the other.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe check(.daemoneye, bytes, count)
}
