using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Synthetic;
using StreamLstm.Model;

namespace StreamLstm.Tests.Detection;

public sealed class PretrainedWeightsTests
{
    private const int BytesMax = 100 << 10;

    private readonly DetectionScratch _scratch = new();

    [Fact]
    public void The_weights_that_come_with_the_program_have_the_detectors_shape_and_are_small()
    {
        using Stream? file = typeof(BaseModel).Assembly.GetManifestResourceStream("base-weights.safetensors");

        Assert.InRange(file!.Length, 1, BytesMax);
        Assert.Equal(BaseModel.Shape, BaseModel.Pretrained.Weights.Shape);
        Assert.Equal(0, BaseModel.Pretrained.Version);
        Assert.DoesNotContain(BaseModel.Pretrained.Weights.Parameters.ToArray(), value => !float.IsFinite(value));
    }

    [Theory]
    [InlineData(SyntheticKind.Seasonal)]
    [InlineData(SyntheticKind.TwoSeasons)]
    [InlineData(SyntheticKind.Counts)]
    [InlineData(SyntheticKind.Drift)]
    public void They_forecast_streams_they_were_not_trained_on_better_than_weights_that_know_nothing(SyntheticKind kind)
    {
        TrainingWindow[] windows = [.. Enumerable.Range(0, 4).SelectMany(number => Windows(kind, seed: 1_000_003 + (ulong)number))];

        double pretrained = Loss(BaseModel.Pretrained.Weights, windows);
        double untrained = Loss(BaseModel.Untrained(1).Weights, windows);

        Assert.True(pretrained < untrained - 0.3, $"{pretrained:F3} nats, {untrained:F3} untrained");
    }

    [Fact]
    public void A_detector_starts_from_them_unless_told_otherwise()
    {
        DateTimeOffset start = DateTimeOffset.UnixEpoch;
        AnomalyDetector[] detectors = [new(), new(model: BaseModel.Pretrained), new(model: BaseModel.Untrained(1))];
        var series = new SyntheticSeries(new SyntheticSeriesOptions { Seed = 5 });
        var value = new double[1];
        ScoredObservation?[] last = [];

        for (int row = 0; row < 100; row++)
        {
            series.Next(value);
            last = [.. detectors.Select(detector => detector.Score(new Observation("s", start.AddSeconds(row), value[0])))];
        }

        Assert.Equal(last[1]!.Value.Expected, last[0]!.Value.Expected);
        Assert.NotEqual(last[2]!.Value.Expected, last[0]!.Value.Expected);
    }

    private static IReadOnlyList<TrainingWindow> Windows(SyntheticKind kind, ulong seed)
    {
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(1, perStreamMax: 0), number: 0, shardCount: 1, new DetectionScratch());
        var output = new ShardOutput();
        var series = new SyntheticSeries(new SyntheticSeriesOptions { Kind = kind, Seed = seed });
        var value = new double[1];

        for (int row = 0; row < 1000; row++)
        {
            series.Next(value);
            DateTimeOffset time = DateTimeOffset.UnixEpoch.AddSeconds(10L * row);
            output.Clear();
            shard.Apply([new Observation("s", time, value[0])], time, BaseModel.Untrained(1), output);
        }

        Assert.NotEmpty(shard.TrainingWindows);
        return shard.TrainingWindows;
    }

    /// <summary>Mean over windows, in nats per target.</summary>
    private double Loss(ForecastWeights weights, TrainingWindow[] windows) => windows.Average(window => _scratch.Trainer.Loss(
        weights, window.Inputs, window.Anchors, window.Targets,
        _scratch.ZeroStates.AsSpan(0, BaseModel.Shape.Network.StateSize), TrainingWindow.WarmUpRows));
}
