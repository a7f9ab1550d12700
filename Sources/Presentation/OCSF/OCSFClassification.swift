package import EventModel

/// A class of OCSF 1.8.0 that events of the collector belong to.
package enum OCSFClass: UInt16, Hashable, Sendable, CaseIterable {
    /// What the schema has no class for.
    case baseEvent = 0
    /// What was done to a file.
    case fileSystemActivity = 1_001
    /// What a process did, or what was done to it.
    case processActivity = 1_007

    /// The schema's name of the class.
    package var name: String {
        switch self {
        case .baseEvent: "Base Event"
        case .fileSystemActivity: "File System Activity"
        case .processActivity: "Process Activity"
        }
    }

    /// The category that the class is of: `class_uid` is a thousand times that and the number within it.
    package var category: UInt16 { rawValue / 1_000 }
}

/// `severity_id` of OCSF 1.8.0, as far as the collector uses it.
package enum OCSFSeverity: UInt8, Hashable, Sendable, CaseIterable {
    case informational = 1
    case low, medium, high, critical

    /// The schema's name.
    package var name: String {
        switch self {
        case .informational: "Informational"
        case .low: "Low"
        case .medium: "Medium"
        case .high: "High"
        case .critical: "Critical"
        }
    }

    init(_ severity: Severity) {
        switch severity {
        case .low: self = .low
        case .medium: self = .medium
        case .high: self = .high
        case .critical: self = .critical
        }
    }
}

/// Who performed an activity, as OCSF wants every activity to say.
package enum OCSFActor: Hashable, Sendable {
    /// The process that the event is about did it itself.
    case itself
    /// Its parent did it.
    case parent
    /// The process that traces it did it.
    case tracer
    /// The process that the kernel named beside the file.
    case namedProcess
    /// The package manager did it.
    case packageManager
    /// Nobody did anything: the collector found or concluded it.
    case collector
    /// Somebody did it, and the kernel does not say who.
    case unknown
}

/// Where an event stands in OCSF 1.8.0.
///
/// Activity names are those of the schema where `activityID` is one of its numbers, and ours for 99 (`Other`).
package struct OCSFClassification: Hashable, Sendable {
    /// The number of an activity that the schema has no number for.
    package static let other: UInt8 = 99

    /// The class.
    package var eventClass: OCSFClass
    /// The activity within the class.
    package var activityID: UInt8
    /// The activity's name.
    package var activityName: String
    /// `launch_type_id` of a launch: 2 for the fork, 3 for the exec that may follow.
    package var launchTypeID: UInt8?
    /// Who performed the activity.
    package var actor: OCSFActor
    /// How much it matters.
    package var severity: OCSFSeverity

    /// `type_uid`: class and activity in one number.
    package var typeID: UInt32 { UInt32(eventClass.rawValue) * 100 + UInt32(activityID) }

    /// Of an event.
    package init(_ event: Event) {
        switch event.subject {
        case .process(let process): self.init(process, kind: event.kind)
        case .filesystem(let file): self.init(file, kind: event.kind)
        case .network, .performance, .triggerRequest: self.init(unclassed: event.kind.rawValue)
        }
    }

    /// Of something that OCSF has no class for.
    package init(unclassed name: String, severity: OCSFSeverity = .informational) {
        self.init(.baseEvent, Self.other, name, by: .collector)
        self.severity = severity
    }

    private init(_ eventClass: OCSFClass, _ activityID: UInt8, _ activityName: String, by actor: OCSFActor) {
        self.eventClass = eventClass
        self.activityID = activityID
        self.activityName = activityName
        self.actor = actor
        severity = .informational
    }

    // MARK: - Processes

    private init(_ process: ProcessEvent, kind: EventKind) {
        let other = Self.other
        switch kind {
        case .processFork:
            let isParentKnown = process.parent != nil || process.ppid != nil
            self.init(.processActivity, 1, "Launch", by: isParentKnown ? .parent : .unknown)
            launchTypeID = 2
        case .processExec:
            self.init(.processActivity, 1, "Launch", by: .itself)
            launchTypeID = 3
        case .processExit:
            self.init(.processActivity, 2, "Terminate", by: .itself)
        case .processPtrace where process.tracer != nil:
            self.init(.processActivity, 3, "Open", by: .tracer)
        case .processPtrace:
            self.init(.processActivity, other, "Detach", by: .unknown)
        case .processSetID where process.modifiedFields == [.gid]:
            self.init(.processActivity, other, "Set Group ID", by: .itself)
        case .processSetID:
            self.init(.processActivity, 5, "Set User ID", by: .itself)
        case .processSession:
            self.init(.processActivity, other, "Set Session", by: .itself)
        case .processComm:
            self.init(.processActivity, other, "Set Name", by: .itself)
        case .processCoredump:
            self.init(.processActivity, other, "Dump Core", by: .itself)
        case .processBaseline:
            self.init(.processActivity, other, "Baseline", by: .collector)
        case .processModified:
            self.init(.processActivity, other, "Modified", by: .collector)
        case .processSuspicious:
            self.init(.processActivity, other, "Suspicious", by: .collector)
            if let suspicion = process.suspicion { severity = OCSFSeverity(suspicion.severity) }
        default:
            self.init(.processActivity, other, kind.rawValue, by: .collector)
        }
    }

    // MARK: - Files

    private init(_ file: FilesystemEvent, kind: EventKind) {
        let other = Self.other
        let doer: OCSFActor = file.pid == nil ? .unknown : .namedProcess
        switch kind {
        case .fileCreated: self.init(.fileSystemActivity, 1, "Create", by: doer)
        case .fileModified: self.init(.fileSystemActivity, 3, "Update", by: doer)
        case .fileDeleted: self.init(.fileSystemActivity, 4, "Delete", by: doer)
        case .fileRenamed: self.init(.fileSystemActivity, 5, "Rename", by: doer)
        case .fileAttributes:
            let isSecurity = file.changes.contains { $0 == .permissions || $0 == .owner || $0 == .group }
            self.init(
                .fileSystemActivity, isSecurity ? 7 : 6, isSecurity ? "Set Security" : "Set Attributes",
                by: doer)
        case .fileTransaction:
            let manager: OCSFActor = file.transaction == nil ? .unknown : .packageManager
            self.init(.fileSystemActivity, other, "Package Transaction", by: manager)
        case .fileBaseline:
            self.init(.fileSystemActivity, other, "Baseline", by: .collector)
        case .fileSuspicious:
            self.init(.fileSystemActivity, other, "Suspicious", by: .collector)
            // The event carries no severity of its own. A file that is not what its package states is either a local
            // change or a planted one, and nobody but the operator can tell: action is required.
            severity = .medium
        default:
            self.init(.fileSystemActivity, other, kind.rawValue, by: .collector)
        }
    }
}
