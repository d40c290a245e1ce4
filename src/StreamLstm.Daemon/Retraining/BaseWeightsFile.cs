using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Daemon.Retraining;

/// <summary>A file of base weights, as <c>streamlstm train</c> and the retrainer write them.</summary>
internal static class BaseWeightsFile
{
    /// <summary>In place of a file: weights that know nothing.</summary>
    public const string Random = "random";

    private const string Expectation = "expected a file that streamlstm train writes";

    /// <summary>The weights that streams start from before the daemon has trained any: those of the file, random ones, or those shipped.</summary>
    /// <param name="file">The file; empty for those shipped, <see cref="Random"/> for random ones.</param>
    /// <param name="seed">Of random ones.</param>
    /// <exception cref="IOException">The file was there when the configuration was checked, and is not any more.</exception>
    /// <exception cref="InvalidDataException">It holds something else by now.</exception>
    public static BaseModel Start(string file, int seed) => file switch
    {
        "" => BaseModel.Pretrained,
        Random => BaseModel.Untrained(seed),
        string path => new BaseModel(0, Read(path)),
    };

    /// <summary>Why there are no base weights to be had by this word, naming the file; null where there are.</summary>
    public static string? ProblemOf(string path)
    {
        if (path is "" or Random)
        {
            return null;
        }

        if (!File.Exists(path))
        {
            return $"'{path}' is not there, {Expectation}";
        }

        try
        {
            Read(path);
            return null;
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return $"'{path}': {unusable.Message}; {Expectation}";
        }
    }

    /// <summary>Weights of the shape that the detector has, all of them finite.</summary>
    /// <exception cref="InvalidDataException">They are of another shape, or the file is no such file; the message names what is wrong.</exception>
    public static ForecastWeights Read(Stream file)
    {
        ForecastWeights weights = WeightsFile.Read(file, out _);
        return weights.Shape == BaseModel.Shape
            ? weights
            : throw new InvalidDataException($"weights of shape {weights.Shape}, expected {BaseModel.Shape}");
    }

    private static ForecastWeights Read(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Read(file);
    }
}
