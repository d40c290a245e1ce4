using System.Globalization;
using System.Text.RegularExpressions;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Model.Kernels;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class ExplanationTests
{
    private const int Spike = 1000;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly DetectionShard _shard = new(new DetectionOptions(), new StreamQuota(10, 10), number: 0, shardCount: 1, new DetectionScratch());
    private readonly double[] _series = DailySeries.Clean(1, 1200);

    public ExplanationTests() => _series[Spike] += 40;

    [Fact]
    public void An_alert_is_explained_by_the_figures_that_decided()
    {
        ShardOutput output = Feed(Spike + 10);

        Explanation why = Why(Spike);

        Assert.True(why.IsAlert);
        Assert.Equal(_series[Spike], why.Value);
        Assert.True(why.Evidence >= why.Needed);
        Assert.Equal(0, why.ShortBy);
        Assert.Equal(1, why.Indicators.Sum(indicator => indicator.Share), 1e-9);
        Assert.Equal(why.Indicators.OrderByDescending(indicator => indicator.Score), why.Indicators);
        Assert.Equal(output.Incidents[0].IncidentId, why.IncidentId);
        Assert.Contains("opened an incident", why.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void What_did_not_alert_is_explained_by_what_was_missing()
    {
        Feed(Spike);

        Explanation why = Why(Spike - 1);

        Assert.False(why.IsAlert);
        Assert.Equal(why.Needed - why.Evidence!.Value, why.ShortBy!.Value, 1e-6);
        Assert.Equal(SuppressedBy.None, why.SuppressedBy);
        Assert.Contains("decades short", why.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_in_its_warm_up_says_how_far_it_is()
    {
        Feed(100);

        Explanation why = Why(99);

        Assert.Equal((SuppressedBy.WarmUp, Lifecycle.Calibrating), (why.SuppressedBy, why.Lifecycle));
        Assert.Equal((100, 512), (why.WarmUp!.Value.Rows, why.WarmUp.Value.RowsNeeded));
        Assert.Contains("warm-up", why.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void An_alert_can_be_explained_long_after_ordinary_observations_cannot()
    {
        Feed(1200);

        Assert.True(Why(Spike).IsAlert);
        Assert.Null(_shard.Explain("a", Start.AddMinutes(Spike - 200), out string? missing));
        Assert.Contains("no decision of 2026-01-01T13:20:00", missing, StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_of_a_stream_that_is_quieter_at_low_levels_are_told_in_its_own_unit()
    {
        // Noise is a tenth of the level, which goes from 5 to 205: what is a step at night is none by day.
        var random = new SplitMix64(3);
        double[] values = [.. Enumerable.Range(0, 3_000).Select(row => (105 - (100 * Math.Cos(row * Math.Tau / 288))) * (1 + (0.1 * random.NextNormal())))];
        const int Night = 288 * 10;
        values[Night] = 90;
        var output = new ShardOutput();

        for (int row = 0; row <= Night; row++)
        {
            _shard.Apply([new Observation("a", Start.AddMinutes(5 * row), values[row])], Start.AddYears(1), BaseModel.Pretrained, output);
        }

        string sentence = output.Incidents[^1].Explanation;
        Match told = Regex.Match(sentence, @"a step of ([\d.]+) from the last value, usually at most ([\d.]+) at this level");
        Assert.True(told.Success, sentence);
        Assert.Equal(values[Night] - values[Night - 1], double.Parse(told.Groups[1].Value, CultureInfo.InvariantCulture), 0.01);
        Assert.InRange(double.Parse(told.Groups[2].Value, CultureInfo.InvariantCulture), 0.1, 20);
    }

    [Fact]
    public void An_unknown_stream_is_said_to_be_unknown()
    {
        Assert.Null(_shard.Explain("b", null, out string? missing));
        Assert.Contains("'b'", missing, StringComparison.Ordinal);
    }

    private ShardOutput Feed(int rows)
    {
        var output = new ShardOutput();

        for (int row = 0; row < rows; row++)
        {
            _shard.Apply([new Observation("a", Start.AddMinutes(row), _series[row])], Start.AddYears(1), BaseModel.Untrained(1), output);
        }

        return output;
    }

    private Explanation Why(int row)
    {
        Explanation? why = _shard.Explain("a", Start.AddMinutes(row), out string? missing);
        Assert.True(why is not null, missing);
        return why;
    }
}
