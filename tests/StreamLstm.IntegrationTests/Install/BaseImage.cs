using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

namespace StreamLstm.IntegrationTests.Install;

/// <summary>A base image with what the pinned one has: .NET, C's and OpenSSL's libraries, time zones, certificates, the user app and its home, and no shell.</summary>
/// <remarks>After the list in dotnet-docker's src/runtime-deps/10.0/noble-chiseled-extra/amd64/Dockerfile; the parts are those of this machine.</remarks>
internal static class BaseImage
{
    public const int User = 1654;

    private static readonly string[] Libraries =
    [
        "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libresolv.so.2", "libnss_dns.so.2", "libnss_files.so.2",
        "libgcc_s.so.1", "libstdc++.so.6", "libssl.so.3", "libcrypto.so.3", "libz.so.1",
    ];

    /// <summary>Its own configuration, as that image has it.</summary>
    public static object Settings => new
    {
        Env = new[] { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", $"APP_UID={User}", "ASPNETCORE_HTTP_PORTS=8080", "DOTNET_RUNNING_IN_CONTAINER=true" },
        User = $"{User}",
    };

    /// <summary>Writes its one layer.</summary>
    /// <returns>The digest of what is in it, unpacked.</returns>
    public static async Task<string> WriteLayerAsync(string path)
    {
        string tar = path + ".tar";
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!, dotnet = Path.GetFullPath(Path.Combine(runtime, "..", "..", ".."));
        string version = Path.GetFileName(runtime), libraries = "/usr/lib/x86_64-linux-gnu";

        await using (var writer = new TarWriter(File.Create(tar)))
        {
            foreach (string directory in (string[])["etc", "home", "usr", "usr/bin", "usr/lib", "usr/lib64", "usr/share", "tmp", "proc", "dev"])
            {
                writer.WriteEntry(Entry(TarEntryType.Directory, directory));
            }

            writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "home/app") { Uid = User, Gid = User, Mode = Mode(0b111_101_101) });
            Link(writer, "lib", "usr/lib");
            Link(writer, "lib64", "usr/lib64");
            Text(writer, "etc/passwd", $"root:x:0:0:root:/root:/bin/bash\napp:x:{User}:{User}::/home/app:/bin/false\n");
            Text(writer, "etc/group", $"root:x:0:\napp:x:{User}:\n");
            Text(writer, "etc/nsswitch.conf", "hosts: files dns\n");

            foreach (string library in Libraries)
            {
                Add(writer, Path.Combine(libraries, library), $"usr/lib/x86_64-linux-gnu/{library}");
            }

            Add(writer, "/lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2");
            Tree(writer, "/usr/share/zoneinfo", "usr/share/zoneinfo");
            Add(writer, "/etc/ssl/certs/ca-certificates.crt", "etc/ssl/certs/ca-certificates.crt");
            Add(writer, Path.Combine(dotnet, "dotnet"), "usr/share/dotnet/dotnet");
            Link(writer, "usr/bin/dotnet", "/usr/share/dotnet/dotnet");
            Tree(writer, Path.Combine(dotnet, "host"), "usr/share/dotnet/host");

            foreach (string framework in (string[])["Microsoft.NETCore.App", "Microsoft.AspNetCore.App"])
            {
                Tree(writer, Path.Combine(dotnet, "shared", framework, version), $"usr/share/dotnet/shared/{framework}/{version}");
            }
        }

        await using FileStream whole = File.OpenRead(tar);
        string digest = $"sha256:{Convert.ToHexStringLower(await SHA256.HashDataAsync(whole, TestContext.Current.CancellationToken))}";
        whole.Position = 0;
        await using var packed = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        await whole.CopyToAsync(packed, TestContext.Current.CancellationToken);
        return digest;
    }

    private static void Tree(TarWriter writer, string folder, string name)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true }).Order(StringComparer.Ordinal))
        {
            Add(writer, file, $"{name}/{Path.GetRelativePath(folder, file)}");
        }
    }

    /// <summary>A file as it is, and what a link leads to in its place.</summary>
    private static void Add(TarWriter writer, string path, string name)
    {
        PaxTarEntry entry = Entry(TarEntryType.RegularFile, name);
        using FileStream content = File.OpenRead(path);
        entry.DataStream = content;
        writer.WriteEntry(entry);
    }

    private static void Text(TarWriter writer, string name, string text)
    {
        PaxTarEntry entry = Entry(TarEntryType.RegularFile, name);
        entry.DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
        writer.WriteEntry(entry);
    }

    private static void Link(TarWriter writer, string name, string to)
    {
        PaxTarEntry entry = Entry(TarEntryType.SymbolicLink, name);
        entry.LinkName = to;
        writer.WriteEntry(entry);
    }

    private static PaxTarEntry Entry(TarEntryType type, string name) => new(type, name) { Mode = Mode(0b111_101_101) };

    private static UnixFileMode Mode(int bits) => (UnixFileMode)bits;
}
