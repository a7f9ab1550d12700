import EventModel
import KernelFormats
import Testing

/// Paths as hosts in the field show them.
struct ContainerMembershipTests {
    private static let id = "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
    private static let inner = "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d"
    private static let pod = "ac04f3f2-1f2c-11e9-b015-1ebee232acfa"
    private static let podInSlice = "ac04f3f2_1f2c_11e9_b015_1ebee232acfa"
    private static let staticPod = "cfb04feb1fc7a4a8a2a7c0a3b4d5e6f7"

    struct Case: Sendable, CustomTestStringConvertible {
        var path: String
        var runtime: ContainerRuntime?
        var id: String?
        var pod: String?
        var unit: String?

        var testDescription: String { path }
    }

    private static func container(
        _ path: String, _ runtime: ContainerRuntime?, id: String = id, pod: String? = nil,
        unit: String? = nil
    ) -> Case { Case(path: path, runtime: runtime, id: id, pod: pod, unit: unit) }

    private static let containers: [Case] = [
        // Docker: cgroupfs and systemd drivers, rootless, in Docker, with systemd inside.
        container("/docker/\(id)", .docker),
        container("/system.slice/docker-\(id).scope", .docker, unit: "docker-\(id).scope"),
        container(
            "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-\(id).scope", .docker,
            unit: "docker-\(id).scope"),
        container("/docker/\(inner)/docker/\(id)", .docker),
        container(
            "/system.slice/docker-\(id).scope/system.slice/nginx.service", .docker, unit: "docker-\(id).scope"),
        container("/docker/\(id)/init.scope", .docker),
        container("/docker-ce/docker/\(id)", .docker),
        container("/system.slice/docker-\(id).scope (deleted)", .docker, unit: "docker-\(id).scope"),
        // containerd: its CRI, nerdctl, ctr.
        container(
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod\(podInSlice).slice/cri-containerd-\(id).scope",
            .containerd, pod: pod, unit: "cri-containerd-\(id).scope"),
        container(
            "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
                + "kubelet-kubepods-burstable-pod\(podInSlice).slice/cri-containerd-\(id).scope",
            .containerd, pod: pod, unit: "cri-containerd-\(id).scope"),
        container(
            "/system.slice/containerd.service/kubepods-burstable-pod\(podInSlice).slice:cri-containerd:\(id)",
            .containerd, pod: pod, unit: "containerd.service"),
        container("/system.slice/nerdctl-\(id).scope", .containerd, unit: "nerdctl-\(id).scope"),
        container("/default/\(id)", nil),
        // Kubernetes with the cgroupfs driver does not say which runtime.
        container("/kubepods/burstable/pod\(pod)/\(id)", nil, pod: pod),
        container("/kubepods/pod\(pod)/\(id)", nil, pod: pod),
        container("/kubepods/besteffort/pod\(staticPod)/\(id)", nil, pod: staticPod),
        container(
            "/docker/\(inner)/kubelet/kubepods/besteffort/pod\(pod)/\(id)", nil, pod: pod),
        // CRI-O: both drivers, and systemd inside.
        container(
            "/kubepods.slice/kubepods-pod\(podInSlice).slice/crio-\(id).scope", .criO, pod: pod,
            unit: "crio-\(id).scope"),
        container(
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod\(podInSlice).slice/crio-\(id).scope/container",
            .criO, pod: pod, unit: "crio-\(id).scope"),
        container("/kubepods/burstable/pod\(pod)/crio-\(id)", .criO, pod: pod),
        // Podman: root, rootless, cgroupfs.
        container("/machine.slice/libpod-\(id).scope", .podman, unit: "libpod-\(id).scope"),
        container(
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-\(id).scope/container", .podman,
            unit: "libpod-\(id).scope"),
        container("/libpod_parent/libpod-\(id)", .podman),
        // LXC, LXD, Incus, Proxmox, libvirt.
        container("/lxc/web-1", .lxc, id: "web-1"),
        container("/lxc/101/ns/system.slice/ssh.service", .lxc, id: "101"),
        container("/lxc.payload.web-1/init.scope", .lxc, id: "web-1"),
        container("/lxc.payload/web-1", .lxc, id: "web-1"),
        container(
            "/machine.slice/machine-lxc\\x2d2042\\x2dweb.scope", .lxc, id: "web",
            unit: "machine-lxc\\x2d2042\\x2dweb.scope"),
        // nspawn.
        container(
            "/machine.slice/systemd-nspawn@jammy.service/payload/system.slice/cron.service", .systemdNspawn,
            id: "jammy", unit: "systemd-nspawn@jammy.service"),
        container(
            "/machine.slice/machine-jammy\\x2d2.scope/payload", .systemdNspawn, id: "jammy-2",
            unit: "machine-jammy\\x2d2.scope"),
        // Fargate and ECS; a cgroup namespace of the reader; the old style of Debian.
        container(
            "/ecs/cfb04feb1fc7a4a8a2a7c0a3b4d5e6f7/cfb04feb1fc7a4a8a2a7c0a3b4d5e6f7-2879604033", nil,
            id: "cfb04feb1fc7a4a8a2a7c0a3b4d5e6f7-2879604033"),
        container("/ecs/cfb04feb1fc7a4a8a2a7c0a3b4d5e6f7/\(id)", nil),
        container("/../cri-containerd-\(id).scope", .containerd, unit: "cri-containerd-\(id).scope"),
        container("/\(id)", nil),
    ]

    private func read(_ path: String) -> ContainerMembership { ContainerMembership(cgroup: Array(path.utf8)) }

    @Test(arguments: containers)
    func `a container is told with its runtime, pod and unit`(path: Case) {
        let place = read(path.path)
        #expect(place.kind == .container)
        #expect(place.runtime == path.runtime)
        #expect(place.id == path.id)
        #expect(place.pod == path.pod)
        #expect(place.unit == path.unit)
    }

    @Test(arguments: [
        ("/", nil), ("", nil), ("/init.scope", "init.scope"), ("/system.slice/ssh.service", "ssh.service"),
        ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/app-foo.scope", "app-foo.scope"),
        ("/system.slice/docker.service", "docker.service"), ("/docker", nil),
        ("/system.slice/containerd.service", "containerd.service"),
        ("/kubepods.slice/kubepods-burstable.slice", nil), ("/kubelet", nil),
        ("/machine.slice/libpod-conmon-\(id).scope", "libpod-conmon-\(id).scope"),
        ("/lxc.monitor.web-1", nil), ("/lxc.monitor/web-1", nil),
        (
            "/machine.slice/systemd-nspawn@jammy.service/supervisor",
            "systemd-nspawn@jammy.service"
        ),
        (
            "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator",
            "machine-qemu\\x2d1\\x2dvm.scope"
        ),
        ("/system.slice/\(id.dropLast()).service", "\(id.dropLast()).service"),
    ])
    func `what runs on the host is said to, with its unit`(path: String, unit: String?) {
        #expect(read(path) == .host(unit: unit))
    }

    @Test(arguments: [
        "/system.slice/docker-\(id.dropLast()).scope", "/system.slice/docker-\(id.uppercased()).scope",
        "/docker/buildkit/r4y9k7xk0n2m", "/kubepods/burstable/pod\(pod)",
        "/kubepods/burstable/podnot-a-uid/\(String(id.dropLast()))",
        "/kubepods.slice/kubepods-pod\(podInSlice).slice/crio-conmon-\(id).scope",
        "/lxc.payload.", "/lxc/a b", "/machine.slice/machine-a\\x2.scope",
        "/system.slice/kubepods-burstable-pod\(podInSlice).slice:cri-containerd:pause",
    ])
    func `what looks like a container and names none is said to be that`(path: String) {
        let place = read(path)
        #expect(place.kind == .unrecognized)
        #expect(place.id == nil && place.runtime == nil)
    }

    // MARK: - Several hierarchies

    private func read(file: String) throws -> ContainerMembership? {
        ContainerMembership(try CgroupFile(parsing: Array(file.utf8)))
    }

    @Test func `a container of version 1 shows in any hierarchy`() throws {
        let place = try read(file: "12:pids:/docker/\(Self.id)\n1:name=systemd:/docker/\(Self.id)\n")
        #expect(place?.runtime == .docker && place?.id == Self.id)
    }

    @Test func `on a hybrid host the unified path of a container is that of its runtime`() throws {
        let place = try read(
            file: "11:memory:/docker/\(Self.id)\n1:name=systemd:/docker/\(Self.id)\n"
                + "0::/system.slice/containerd.service\n")
        #expect(place?.kind == .container)
        #expect(place?.id == Self.id)
    }

    @Test func `a hierarchy that looks like a container counts more than one that does not`() throws {
        let place = try read(file: "3:cpu:/kubepods/pod\(Self.pod)\n0::/system.slice/a.service\n")
        #expect(place?.kind == .unrecognized)
        #expect(place?.pod == Self.pod)
    }

    @Test func `a process of the host has the unit of the reported path`() throws {
        #expect(
            try read(file: "3:cpu:/\n1:name=systemd:/system.slice/a.service\n0::/\n")
                == .host(unit: "a.service"))
        #expect(try read(file: "0::/\n") == .host(unit: nil))
    }

    @Test func `no line says nothing`() throws {
        #expect(try read(file: "") == nil)
    }

    @Test func `any bytes are a place, and a name is never of other bytes than visible ones`() {
        var state: UInt64 = 1
        let pieces = ["docker", "-", "/", "lxc.payload.", "pod", ".slice", ".scope", "kubepods", ":", "\\x", Self.id, "\u{ff}", " "]
        for _ in 0..<20_000 {
            var path: [UInt8] = []
            for _ in 0..<8 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let choice = Int(state >> 33) % (pieces.count + 1)
                if choice < pieces.count {
                    path += Array(pieces[choice].utf8)
                } else {
                    path.append(UInt8(truncatingIfNeeded: state >> 40))
                }
            }
            let place = ContainerMembership(cgroup: path)
            #expect((place.kind == .container) == (place.id != nil))
            for text in [place.id, place.pod, place.unit] {
                #expect(text.map { $0.utf8.allSatisfy { (0x21...0x7e).contains($0) } } ?? true)
            }
        }
    }
}
