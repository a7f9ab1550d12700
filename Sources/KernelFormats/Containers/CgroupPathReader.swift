import EventModel

/// Goes through the path of a control group, component by component, and keeps what it has learnt.
struct CgroupPathReader {
    typealias Name = ArraySlice<UInt8>

    /// What a component announces of the next one.
    private enum Expectation {
        case nothing
        /// Behind `docker`: an id.
        case dockerID
        /// Behind `lxc` or `lxc.payload`: a name.
        case lxcName
        /// Behind `lxc.monitor`: a name that is no container.
        case monitorName
        /// Below the unit of nspawn: `supervisor` is not within the container.
        case nspawnPart
    }

    private static let prefixes: [(bytes: [UInt8], runtime: ContainerRuntime)] = [
        (Array("docker-".utf8), .docker), (Array("cri-containerd-".utf8), .containerd),
        (Array("containerd-".utf8), .containerd), (Array("nerdctl-".utf8), .containerd),
        (Array("crio-".utf8), .criO), (Array("libpod-".utf8), .podman),
    ]
    private static let unitSuffixes = [".service", ".scope", ".mount", ".socket", ".swap"].map {
        Array($0.utf8)
    }

    private var expectation = Expectation.nothing
    private var runtime: ContainerRuntime?
    private var id: String?
    private var pod: String?
    private var unit: String?
    /// Below `kubepods`: whoever is in a pod is in a container.
    private var isInPods = false
    /// Below `ecs`, where ids have another form.
    private var isInTasks = false
    private var isDoubtful = false

    /// What the components taken so far say.
    var membership: ContainerMembership {
        if let id {
            return ContainerMembership(kind: .container, runtime: runtime, id: id, pod: pod, unit: unit)
        }
        guard isDoubtful || pod != nil else { return .host(unit: unit) }
        return ContainerMembership(kind: .unrecognized, runtime: nil, id: nil, pod: pod, unit: unit)
    }

    /// Takes the next component, which is not empty.
    mutating func take(_ name: Name) {
        let expected = expectation
        expectation = .nothing
        switch expected {
        case .dockerID where name.isContainerID: return enter(.docker, name)
        case .dockerID: doubt()
        case .lxcName: return enter(.lxc, called: name)
        case .monitorName: return
        case .nspawnPart where name.equals("supervisor"):
            (runtime, id) = (nil, nil)
            return
        case .nspawnPart, .nothing: break
        }
        noteUnit(name)
        takePods(name)
        takeContainer(name)
    }

    // MARK: - Kinds of components

    private mutating func takeContainer(_ name: Name) {
        if name.isContainerID { return enter(nil, name) }
        if name.equals("docker") {
            expectation = .dockerID
        } else if name.equals("lxc") || name.equals("lxc.payload") {
            expectation = .lxcName
        } else if name.equals("lxc.monitor") {
            expectation = .monitorName
        } else if name.equals("ecs") {
            isInTasks = true
        } else if isInTasks, name.isTaskContainerID {
            enter(nil, name)
        } else if let name = name.without(prefix: "lxc.payload.") {
            enter(.lxc, called: name)
        } else if let scope = name.without(suffix: ".scope") {
            if let machine = scope.without(prefix: "machine-") { takeMachine(machine) } else { takePrefixed(scope) }
        } else if let machine = name.without(prefix: "systemd-nspawn@")?.without(suffix: ".service") {
            enterNspawn(machine.unescapedUnitName)
        } else if name.without(prefix: "crio-") ?? name.without(prefix: "libpod-") != nil {
            takePrefixed(name)
        } else if isInPods || pod != nil, let colon = name.lastIndex(of: Ascii.colon) {
            let end = name[(colon + 1)...]
            if end.isContainerID { enter(Self.runtime(endOf: name[..<colon]), end) } else { doubt() }
        }
    }

    /// `RUNTIME-ID`: a runtime without an id is doubtful, unless it is that of a monitor.
    private mutating func takePrefixed(_ name: Name) {
        for prefix in Self.prefixes where name.starts(with: prefix.bytes) {
            let rest = name.dropFirst(prefix.bytes.count)
            if rest.isContainerID { return enter(prefix.runtime, rest) }
            if rest.without(prefix: "conmon-") == nil { doubt() }
            return
        }
    }

    /// The middle of `slice:cri-containerd:ID`.
    private static func runtime(endOf text: Name) -> ContainerRuntime? {
        let name = text[(text.lastIndex(of: Ascii.colon).map { $0 + 1 } ?? text.startIndex)...] + [Ascii.minus]
        return prefixes.first { name.elementsEqual($0.bytes) }?.runtime
    }

    /// A machine of `systemd-machined`: a container of nspawn or of libvirt, or the emulator of a virtual machine.
    private mutating func takeMachine(_ escaped: Name) {
        guard let name = escaped.unescapedUnitName else { return doubt() }
        if name.without(prefix: "qemu-") != nil { return }
        guard let rest = name.without(prefix: "lxc-") else { return enterNspawn(name) }
        // `lxc-PID-NAME`.
        guard let hyphen = rest.firstIndex(of: Ascii.minus) else { return doubt() }
        enter(.lxc, called: rest[(hyphen + 1)...])
    }

    private mutating func takePods(_ name: Name) {
        if name.equals("kubepods") || name.equals("kubepods.slice")
            || name.without(suffix: "-kubepods.slice") != nil
        {
            isInPods = true
            return
        }
        // With `slice:cri-containerd:ID` the slice stands in front.
        let slice = name[..<(name.firstIndex(of: Ascii.colon) ?? name.endIndex)]
        guard isInPods || slice.without(prefix: "kubepods-") != nil else { return }
        let uid: Name?
        if let stem = slice.without(suffix: ".slice") {
            uid = stem.behindLast("-pod")
        } else {
            uid = slice.without(prefix: "pod")
        }
        guard let uid else { return }
        if let text = uid.podUID { pod = text } else { doubt() }
    }

    private mutating func noteUnit(_ name: Name) {
        guard id == nil, name.count <= Limits.fileNameByteCount else { return }
        guard Self.unitSuffixes.contains(where: { name.count > $0.count && name.suffix($0.count) == $0[...] })
        else { return }
        unit = name.visibleText
    }

    // MARK: - Conclusions

    private mutating func doubt() {
        if id == nil { isDoubtful = true }
    }

    private mutating func enter(_ runtime: ContainerRuntime?, _ id: Name) {
        self.runtime = runtime
        self.id = String(decoding: id, as: UTF8.self)
    }

    private mutating func enter(_ runtime: ContainerRuntime, called name: Name) {
        guard name.count <= Limits.fileNameByteCount, let text = name.visibleText else { return doubt() }
        self.runtime = runtime
        id = text
    }

    private mutating func enterNspawn(_ name: Name?) {
        guard let name else { return doubt() }
        enter(.systemdNspawn, called: name)
        expectation = .nspawnPart
    }
}
