using System.Globalization;
using StreamLstm.Daemon.SelfTest;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kill;

/// <summary>Storage directories of the real program, damaged and read as a start reads them: each damage is noticed or harmless.</summary>
/// <remarks>
/// STREAMLSTM_TEST_CORRUPTIONS sets how many random flips and cuts there are, STREAMLSTM_TEST_STRIDE every how many bytes the other test
/// turns one (1: every byte).
/// </remarks>
public sealed class CorruptionTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Every_byte_of_a_directory_that_was_closed_in_order_is_noticed_when_it_is_flipped()
    {
        using var directory = new TemporaryDirectory();
        string state = Path.Combine(directory.Path, "state");
        await WriteAsync(state, lives: 2, isKilled: false);
        var trial = new CorruptionTrial(state, Path.Combine(directory.Path, "damaged"));
        int stride = Killing.Number("STREAMLSTM_TEST_STRIDE", 251);

        foreach ((string file, int length) in trial.Files)
        {
            for (int at = 0; at < length; at += stride)
            {
                trial.Flip(file, at, at % 8);
            }
        }

        Say("every byte", trial.Found);
        Assert.Equal((0L, 0L, 0L), (trial.Found.Wrong, trial.Found.EndedEarlier, trial.Found.EndedEarlierAndSaidSo));
        Assert.True(trial.Found.Refused > 0 && trial.Found.WentBack > 0, trial.Found.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Random_flips_and_cuts_are_noticed_or_harmless_and_of_a_killed_one_end_it_earlier_at_most(bool isKilled)
    {
        using var directory = new TemporaryDirectory();
        string state = Path.Combine(directory.Path, "state");
        await WriteAsync(state, lives: 3, isKilled);
        var trial = new CorruptionTrial(state, Path.Combine(directory.Path, "damaged"));
        var random = new Random(Killing.Number("STREAMLSTM_TEST_SEED", 1));
        int count = Killing.Number("STREAMLSTM_TEST_CORRUPTIONS", 600) / 2;

        while (trial.Found.Tried < count)
        {
            trial.Random(random);
        }

        Say(isKilled ? "killed" : "closed in order", trial.Found);
        Assert.True(trial.Found.Wrong == 0, trial.Found.ToString());

        if (!isKilled)
        {
            Assert.Equal((0L, 0L), (trial.Found.EndedEarlier, trial.Found.EndedEarlierAndSaidSo));
        }
    }

    private static async Task WriteAsync(string state, int lives, bool isKilled)
    {
        for (int life = 0; life < lives; life++)
        {
            await using DaemonProcess daemon = await DaemonProcess.StartAsync(state, "storage.snapshot_interval=1h", "sources.mqtt_embedded.enabled=false");

            for (int post = 0; post < 10; post++)
            {
                await daemon.PostAsync("boiler", Series.Daily(post, 3), Start.AddMinutes(30 * life + post));
            }

            if (isKilled && life == lives - 1)
            {
                await daemon.KillAsync();
            }
            else
            {
                Assert.Equal(0, await daemon.TerminateAsync());
            }
        }
    }

    private static void Say(string what, CorruptionFindings found)
    {
        if (Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PROGRESS") is { Length: > 0 } to)
        {
            File.AppendAllText($"{to}.corruption", string.Create(CultureInfo.InvariantCulture, $"{what}: {found}\n"));
        }
    }
}
