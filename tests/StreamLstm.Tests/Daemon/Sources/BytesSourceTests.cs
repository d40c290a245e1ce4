using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Senses;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Features.Audio;
using StreamLstm.Tests.Daemon.Support;
using StreamLstm.Tests.Features;

namespace StreamLstm.Tests.Daemon.Sources;

public sealed class BytesSourceTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-bytes-").FullName;
    private readonly CaughtIntake _caught = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_recording_is_read_to_its_end_and_again_with_the_same_times()
    {
        string path = Path.Combine(_directory, "pump.wav");
        File.WriteAllBytes(path, LogMelBandsTests.Wav(LogMelBandsTests.Tone(440, 0.3, 3), SampleEncoding.S16, channels: 2));
        var options = new SoundSourceOptions { Path = path, Stream = "sound/pump" };

        await Source(path, options.Decoder).RunAsync(_caught.Intake, TestContext.Current.CancellationToken);
        Observation[] first = _caught.TakeAll();
        await Source(path, options.Decoder).RunAsync(_caught.Intake, TestContext.Current.CancellationToken);

        Assert.Equal(12, first.Length);
        Assert.Equal(first.Select(one => one.Time), _caught.TakeAll().Select(one => one.Time));
        Assert.Equal(new DateTimeOffset(File.GetLastWriteTimeUtc(path)), first[^1].Time, TimeSpan.FromMilliseconds(10));
    }

    [Fact]
    public async Task A_named_pipe_is_read_as_it_comes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "named pipes as files");
        string path = Path.Combine(_directory, "camera");
        using (var made = System.Diagnostics.Process.Start("mkfifo", path))
        {
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var options = new VideoSourceOptions { Path = path, Stream = "video/hall", Width = 32, Height = 24 };
        Task running = Task.Run(() => Source(path, options.Decoder).RunAsync(_caught.Intake, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);

        await using (var pipe = new FileStream(path, FileMode.Open, FileAccess.Write))
        {
            await pipe.WriteAsync(new byte[32 * 24 * 4 + 100], TestContext.Current.CancellationToken);
        }

        await running;
        Assert.Equal(["video/hall", "video/hall", "video/hall"], _caught.TakeAll().Select(one => one.Stream));
    }

    [Fact]
    public async Task What_is_not_there_and_what_is_no_sound_is_told()
    {
        var missing = await Assert.ThrowsAsync<SourceException>(() => Source("/nowhere/x.wav", new SoundSourceOptions { Path = "/nowhere/x.wav" }.Decoder).RunAsync(_caught.Intake, TestContext.Current.CancellationToken));
        string path = Path.Combine(_directory, "x.wav");
        File.WriteAllText(path, "timestamp,value and so on");

        await Source(path, new SoundSourceOptions { Path = path }.Decoder).RunAsync(_caught.Intake, TestContext.Current.CancellationToken);

        Assert.Contains("sources.sound.0.path: /nowhere/x.wav is not there", missing.Message, StringComparison.Ordinal);
        Assert.Contains("does not begin with RIFF", Assert.Single(_caught.Letters.Letters).Detail, StringComparison.Ordinal);
        Assert.True(_caught.Ledger.Cut().Balances);
    }

    [Fact]
    public void Standard_input_is_read_by_one_source()
    {
        var wrong = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load([], ["sources.stdin.enabled=true", "sources.sound.0.path=-", "sources.video.0.path=-"]));

        Assert.Equal(2, wrong.Errors.Count(error => error.Contains("standard input is read by sources.stdin.enabled already", StringComparison.Ordinal)));
    }

    private static BytesSource Source(string path, Func<IBytesDecoder> decoder) =>
        new("sources.sound.0", path, decoder, RecordRules.All, batchMax: 5, TimeProvider.System, NullLogger<BytesSource>.Instance);
}
