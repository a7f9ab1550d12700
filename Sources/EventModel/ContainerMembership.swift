/// What software runs a container.
public enum ContainerRuntime: String, Hashable, Sendable, CaseIterable {
    case docker, containerd, podman, lxc
    case criO = "cri-o"
    case systemdNspawn = "systemd-nspawn"
}

/// What the control group's path says about where a process runs.
///
/// One word in memory: the processes of a container share what it refers to.
public struct ContainerMembership: Hashable, Sendable {
    /// What kind of place it is.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The path names no container.
        case host
        /// The path names a container.
        case container
        /// The path is of the kind that runtimes make, and does not name a container in a way that is known here.
        case unrecognized
    }

    private final class Storage: Hashable, Sendable {
        let kind: Kind
        let runtime: ContainerRuntime?
        let id: String?
        let pod: String?
        let unit: String?

        init(_ kind: Kind, _ runtime: ContainerRuntime?, _ id: String?, _ pod: String?, _ unit: String?) {
            self.kind = kind
            self.runtime = runtime
            self.id = id
            self.pod = pod
            self.unit = unit
        }

        static func == (a: Storage, b: Storage) -> Bool {
            a === b
                || (a.kind == b.kind && a.runtime == b.runtime && a.id == b.id && a.pod == b.pod
                    && a.unit == b.unit)
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(kind)
            hasher.combine(id)
            hasher.combine(unit)
        }
    }

    private let storage: Storage

    /// What kind of place it is.
    public var kind: Kind { storage.kind }
    /// What runs the container; `nil` where the path does not say it, as with the `cgroupfs` driver of Kubernetes.
    public var runtime: ContainerRuntime? { storage.runtime }
    /// The container's id: 64 hexadecimal digits, or the name that LXC and systemd-nspawn know it by.
    public var id: String? { storage.id }
    /// The UID of the Kubernetes pod; of a static pod 32 hexadecimal digits, else a UUID.
    public var pod: String? { storage.pod }
    /// The innermost unit of the host's systemd that holds the process, such as `ssh.service`; not one within a container.
    public var unit: String? { storage.unit }

    /// On the host, in a unit of systemd or in none.
    public static func host(unit: String?) -> ContainerMembership {
        ContainerMembership(kind: .host, runtime: nil, id: nil, pod: nil, unit: unit)
    }

    /// Makes a membership from its parts; only a container has a runtime, and it always has an id.
    public init(kind: Kind, runtime: ContainerRuntime?, id: String?, pod: String?, unit: String?) {
        storage = Storage(kind, runtime, id, pod, unit)
    }
}
