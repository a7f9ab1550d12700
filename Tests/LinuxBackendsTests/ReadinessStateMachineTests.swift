import Backends
import LinuxBackends
import Testing

struct ReadinessStateMachineTests {
    private typealias Machine = ReadinessStateMachine<String>

    @Test func `the first cause wins and later ones are ignored`() throws {
        var machine = Machine()
        let idBegun = machine.begin()
        let id = try #require(idBegun)
        let result1 = machine.attach("waiter", to: id)
        #expect(result1 == nil)
        let result2 = machine.finish(id, .deadlinePassed)
        #expect(result2 == "waiter")
        let result3 = machine.finish(id, .readable)
        #expect(result3 == nil)
        machine.end(id)
    }

    @Test func `a cause before the suspension is handed to the suspension`() throws {
        var machine = Machine()
        let idBegun = machine.begin()
        let id = try #require(idBegun)
        let result4 = machine.finish(id, .readable)
        #expect(result4 == nil)
        let result5 = machine.attach("waiter", to: id)
        #expect(result5 == .readable)
        machine.end(id)
    }

    @Test func `an interruption without a wait ends the next one`() throws {
        var machine = Machine()
        let result6 = machine.interrupt()
        #expect(result6 == nil)
        let result7 = machine.begin()
        #expect(result7 == nil)
        let result8 = machine.begin()
        #expect(result8 != nil)
    }

    @Test func `an interruption after the cause is kept for the next wait`() throws {
        var machine = Machine()
        let idBegun = machine.begin()
        let id = try #require(idBegun)
        let result9 = machine.attach("waiter", to: id)
        #expect(result9 == nil)
        let result10 = machine.finish(id, .readable)
        #expect(result10 == "waiter")
        let result11 = machine.interrupt()
        #expect(result11 == nil)
        machine.end(id)
        let result12 = machine.begin()
        #expect(result12 == nil)
    }

    @Test func `a cause of a former wait does not end the present one`() throws {
        var machine = Machine()
        let formerBegun = machine.begin()
        let former = try #require(formerBegun)
        _ = machine.finish(former, .readable)
        _ = machine.attach("former", to: former)
        machine.end(former)
        let presentBegun = machine.begin()
        let present = try #require(presentBegun)
        let result13 = machine.attach("present", to: present)
        #expect(result13 == nil)
        let result14 = machine.finish(former, .deadlinePassed)
        #expect(result14 == nil)
        let result15 = machine.finish(present, .readable)
        #expect(result15 == "present")
    }

    @Test func `a second waiter traps`() async {
        await #expect(processExitsWith: .failure) {
            var machine = ReadinessStateMachine<String>()
            _ = machine.begin()
            _ = machine.begin()
        }
    }
}
