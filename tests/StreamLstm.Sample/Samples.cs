using StreamLstm.Detection;

namespace StreamLstm.Sample;

/// <summary>One sample for each kind of sequence: dotnet run --project tests/StreamLstm.Sample -- text (sound, video, sequences).</summary>
internal static class Samples
{
    /// <summary>Runs the sample that is asked for; false where none is.</summary>
    public static bool Run(string[] args)
    {
        Action? sample = args switch
        {
            ["text"] => TextSample.Run,
            ["sound"] => SoundSample.Run,
            ["video"] => VideoSample.Run,
            ["sequences"] => SequenceSample.Run,
            _ => null,
        };
        sample?.Invoke();
        return sample is not null;
    }

    /// <summary>Says of what an observation led to, where it led to anything.</summary>
    public static void Tell(AnomalyDetector detector)
    {
        foreach (string sentence in detector.LastOutput.Incidents.Where(incident => incident.State == StreamLstm.Detection.Deciding.IncidentState.Opened).Select(incident => incident.Explanation))
        {
            Console.WriteLine(sentence);
        }
    }
}
