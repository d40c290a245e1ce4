using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection;

/// <summary>The library's front door: streams and their scores, without shards, threads or files. Not thread-safe.</summary>
/// <remarks>The same code the daemon runs: one <see cref="DetectionShard"/> behind it.</remarks>
public sealed class AnomalyDetector
{
    private readonly DetectionShard _shard;
    private readonly ShardOutput _output = new();
    private readonly Observation[] _batch = new Observation[1];
    private readonly BaseModel _model;

    /// <summary>A detector that has seen nothing.</summary>
    /// <param name="options">How streams are learnt and judged; null for the defaults.</param>
    /// <param name="model">Base weights to start from; null for those that come with the program.</param>
    public AnomalyDetector(DetectionOptions? options = null, BaseModel? model = null)
    {
        options ??= new DetectionOptions();
        _model = model ?? BaseModel.Pretrained;
        _shard = new DetectionShard(
            options, new StreamQuota(options.StreamsMax, options.PerStreamMax), number: 0, shardCount: 1, new DetectionScratch());
    }

    /// <summary>What the last observation led to: incidents opened, continued or closed; rejections.</summary>
    public ShardOutput LastOutput => _output;

    /// <summary>Scores one observation of whatever stream it names; null where the record policy rejects it.</summary>
    public ScoredObservation? Score(in Observation observation)
    {
        _batch[0] = observation;
        _output.Clear();
        _shard.Apply(_batch, observation.Time, _model, _output);
        return _output.Scored.Count == 0 ? null : _output.Scored[0];
    }

    /// <summary>Why a stream's last observation was an alert or none, or the one in force at a time.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="at">The time asked for; null for the last observation.</param>
    /// <param name="missing">Why there is no answer, for people; null where there is one.</param>
    public Explanation? Explain(string stream, DateTimeOffset? at, out string? missing) => _shard.Explain(stream, at, out missing);

    /// <summary>What a stream's LSTM kept, took in and gave out over what came last; null where there is nothing to show.</summary>
    /// <param name="stream">The stream's name.</param>
    public Model.GateTrace? Gates(string stream) => _shard.Gates(stream);

    /// <summary>The incident of a stream of values at a time, or its last one: asked for its <see cref="Reconstructing.Reconstruction"/>, it says what should have come.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="at">A time in the incident; null for the last one.</param>
    /// <param name="missing">Why there is none, for people; null where there is one.</param>
    public Reconstructing.Excerpt? Excerpt(string stream, DateTimeOffset? at, out string? missing) => _shard.Excerpt(stream, at, out missing);
}
