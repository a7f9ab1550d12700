import CollectorTestKit
import SpoolSource
import Testing

private let scenario = """
    scenario spool v1
    config sources.spool.path=/var/spool/mail sources.spool.limit=2 sources.spool.interval=1s
    given
      folder /var/spool/mail
    when
      @1.5s file.create /var/spool/mail/a
      @1.6s file.create /var/spool/mail/b
      @1.7s file.create /var/spool/mail/c
      @3.5s file.unlink /var/spool/mail/b
    """

@Test func `the source keeps the contract`() throws {
    let report = try SourceConformance(.spool, scenario: scenario).check()
    #expect(report.violations.isEmpty, "\(report)")
}

@Test func `a spool that fills up is told, and that it is emptied again`() throws {
    let run = try SourceRun(of: .spool, scenario: scenario)
    let thresholds = run.events.filter { $0.kind == .performanceThreshold }
    #expect(thresholds.count == 2)
    #expect(run.failures.isEmpty)
}
