using StreamLstm.Daemon.Durability;

namespace StreamLstm.Tests.Daemon.Durability;

public sealed class StorageDirectoryTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-state-").FullName;
    private readonly StorageDirectory _storage;

    public StorageDirectoryTests() => _storage = StorageDirectory.Open(new StorageOptions { Directory = _directory });

    public void Dispose()
    {
        _storage.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_second_process_is_refused_with_the_way_out()
    {
        var refused = Assert.Throws<StorageException>(() => StorageDirectory.Open(new StorageOptions { Directory = _directory }));

        Assert.Contains("in use by another streamlstm", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--set storage.directory=PATH", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_directory_is_for_its_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no modes");
            return;
        }

        string fresh = Path.Combine(_directory, "fresh");
        using StorageDirectory opened = StorageDirectory.Open(new StorageOptions { Directory = fresh });

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(fresh));
    }
}
